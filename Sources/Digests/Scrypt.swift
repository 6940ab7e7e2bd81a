internal import COpenSSL

/// scrypt (RFC 7914), the memory-hard password hash.
///
/// One call with the default cost takes about 0.1 s and 32 MiB: never call it on an event loop.
package enum Scrypt {
    /// The parameters of RFC 7914 section 2. Memory is 128 × `n` × `r` bytes.
    package struct Cost: Sendable, Equatable {
        package var n: UInt64
        package var r: UInt64
        package var p: UInt64

        package init(n: UInt64, r: UInt64, p: UInt64) {
            self.n = n
            self.r = r
            self.p = p
        }

        package static let standard = Cost(n: 1 << 15, r: 8, p: 1)
    }

    /// OpenSSL refused the parameters or had no memory for them.
    package struct Failed: Error {}

    /// Derives `length` bytes from `password` and `salt`.
    package static func derive(
        password: String, salt: [UInt8], cost: Cost = .standard, length: Int = 32
    ) throws(Failed) -> [UInt8] {
        var key = [UInt8](repeating: 0, count: length)
        var password = password
        let done = password.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                EVP_PBE_scrypt(
                    characters.baseAddress, characters.count, salt, salt.count, cost.n, cost.r, cost.p,
                    256 << 20, &key, key.count)
            }
        }
        guard done == 1 else { throw Failed() }
        return key
    }
}
