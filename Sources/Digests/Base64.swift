internal import COpenSSL

/// Base64 with padding (RFC 4648 section 4).
package enum Base64 {
    package static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4 + 1) { output in
            // EVP_EncodeBlock ends its text with a zero byte, for which there is room and which is not counted.
            Int(EVP_EncodeBlock(output.baseAddress, bytes, Int32(clamping: bytes.count)))
        }
    }
}
