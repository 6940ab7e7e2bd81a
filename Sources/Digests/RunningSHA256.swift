internal import COpenSSL

/// The SHA-256 of bytes that come in pieces.
package struct RunningSHA256: Sendable {
    private var context = SHA256_CTX()

    package init() {
        SHA256_Init(&self.context)
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        SHA256_Update(&self.context, bytes.baseAddress, bytes.count)
    }

    /// The digest of all bytes so far; more may follow.
    package var digest: Digest32 {
        var context = self.context
        var digest = Digest32()
        digest.withUnsafeMutableBytes { _ = SHA256_Final($0.bindMemory(to: UInt8.self).baseAddress, &context) }
        return digest
    }
}
