internal import COpenSSL

/// SHA-256 (FIPS 180-4).
package enum SHA256 {
    package static func digest(_ bytes: UnsafeRawBufferPointer) -> Digest32 {
        var context = SHA256_CTX()
        SHA256_Init(&context)
        SHA256_Update(&context, bytes.baseAddress, bytes.count)
        var digest = Digest32()
        digest.withUnsafeMutableBytes { _ = SHA256_Final($0.bindMemory(to: UInt8.self).baseAddress, &context) }
        return digest
    }

    package static func digest(_ bytes: [UInt8]) -> Digest32 {
        bytes.withUnsafeBytes { self.digest($0) }
    }

    package static func digest(_ text: String) -> Digest32 {
        var text = text
        return text.withUTF8 { self.digest(UnsafeRawBufferPointer($0)) }
    }
}

/// SHA-1, only for the `Sec-WebSocket-Accept` header (RFC 6455 section 1.3).
package enum SHA1 {
    package static func digest(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        // Not in one call: that one looks the algorithm up each time.
        var context = SHA_CTX()
        SHA1_Init(&context)
        SHA1_Update(&context, bytes, bytes.count)
        SHA1_Final(&digest, &context)
        return digest
    }

    /// The value of that header for a nonce (RFC 6455 section 4.2.2).
    package static func webSocketAccept(_ nonce: String) -> String {
        Base64.encode(self.digest(Array((nonce + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
    }
}

/// MD5, only because the HTTP API's `body_md5` is one (section 8.3 of the protocol facts). It guards nothing by itself:
/// the request signature covers it.
package enum MD5 {
    package static func hex(_ bytes: UnsafeRawBufferPointer) -> String {
        self.withDigest(of: bytes) { Hex.encode($0) }
    }

    /// Whether `hex` is the digest of `bytes` in lower-case hexadecimal; takes the same time wherever they differ.
    package static func matches(_ bytes: UnsafeRawBufferPointer, hex: String) -> Bool {
        var hex = hex
        return hex.withUTF8 { text in
            self.withDigest(of: bytes) { Hex.matches($0, UnsafeRawBufferPointer(text)) }
        }
    }

    private static func withDigest<Result>(
        of bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        var digest: (UInt64, UInt64) = (0, 0)
        return withUnsafeMutableBytes(of: &digest) { output in
            // An empty buffer may have no address; MD5 of nothing is asked for with any pointer and length 0.
            let input = bytes.baseAddress ?? UnsafeRawPointer(output.baseAddress)
            _ = COpenSSL.MD5(
                input?.assumingMemoryBound(to: UInt8.self), bytes.count,
                output.bindMemory(to: UInt8.self).baseAddress)
            return body(UnsafeRawBufferPointer(output))
        }
    }

    package static func hex(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { self.hex($0) }
    }
}
