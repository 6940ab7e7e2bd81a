internal import COpenSSL

/// Bytes from OpenSSL's generator, seeded by the kernel.
package enum RandomBytes {
    /// The generator has no entropy. Nothing secret may be made then.
    package struct Unavailable: Error {}

    /// `count` unpredictable bytes.
    package static func make(_ count: Int) throws(Unavailable) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(clamping: count)) == 1 else { throw Unavailable() }
        return bytes
    }

    /// `count` unpredictable characters of `[A-Za-z0-9]` (5.95 bits each).
    package static func alphanumeric(_ count: Int) throws(Unavailable) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(count)
        while text.count < count {
            // Bytes from 248 on are dropped: 248 is the largest multiple of 62, so every character is equally likely.
            for byte in try self.make(count) where byte < 248 && text.count < count {
                text.append(alphabet[Int(byte) % 62])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
