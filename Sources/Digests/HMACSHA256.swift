internal import COpenSSL

/// HMAC-SHA256 (RFC 2104) under one key, prepared once and used for any number of messages.
///
/// The inner and the outer hash are advanced over the padded key at creation; a message costs two copied contexts
/// and no allocation. A value type without references: free to share between threads.
package struct HMACSHA256: Sendable {
    private let inner: SHA256_CTX
    private let outer: SHA256_CTX

    /// Prepares the key. Any length is allowed; keys above 64 bytes are hashed first (RFC 2104 section 2).
    package init(key: some Sequence<UInt8>) {
        var block = Array(key)
        if block.count > 64 { block = Array(SHA256.digest(block)) }
        block += repeatElement(0, count: 64 - block.count)

        var inner = SHA256_CTX()
        var outer = SHA256_CTX()
        SHA256_Init(&inner)
        SHA256_Init(&outer)
        SHA256_Update(&inner, block.map { $0 ^ 0x36 }, 64)
        SHA256_Update(&outer, block.map { $0 ^ 0x5c }, 64)
        self.inner = inner
        self.outer = outer
    }

    /// The authentication code of `message`.
    package func code(for message: UnsafeRawBufferPointer) -> Digest32 {
        var inner = self.inner
        var outer = self.outer
        SHA256_Update(&inner, message.baseAddress, message.count)
        var digest = Digest32()
        digest.withUnsafeMutableBytes { bytes in
            _ = SHA256_Final(bytes.bindMemory(to: UInt8.self).baseAddress, &inner)
            SHA256_Update(&outer, bytes.baseAddress, bytes.count)
            _ = SHA256_Final(bytes.bindMemory(to: UInt8.self).baseAddress, &outer)
        }
        return digest
    }

    /// The authentication code of the UTF-8 bytes of `message`.
    package func code(for message: String) -> Digest32 {
        var message = message
        return message.withUTF8 { self.code(for: UnsafeRawBufferPointer($0)) }
    }
}
