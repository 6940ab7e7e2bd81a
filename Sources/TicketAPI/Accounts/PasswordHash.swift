internal import Digests
internal import FoundationEssentials

/// A stored password: `$scrypt$ln=15,r=8,p=1${salt}${hash}`, the PHC string format, so that the cost can be raised
/// without losing those who are here.
enum PasswordHash {
    /// Takes about 0.1 s and 32 MiB at the standard cost.
    static func make(_ password: String, cost: Scrypt.Cost) throws -> String {
        let salt = try RandomBytes.make(16)
        let key = try Scrypt.derive(password: password, salt: salt, cost: cost)
        let logN = cost.n.trailingZeroBitCount
        return "$scrypt$ln=\(logN),r=\(cost.r),p=\(cost.p)$\(self.base64(salt))$\(self.base64(key))"
    }

    /// Takes as long as making it. False for a text that is not such a hash.
    static func verify(_ password: String, against text: String) throws -> Bool {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = self.cost(parts[2]),
            let salt = self.bytes(parts[3]), let expected = self.bytes(parts[4])
        else { return false }
        let key = try Scrypt.derive(password: password, salt: salt, cost: cost, length: expected.count)
        return constantTimeEqual(key, expected)
    }

    private static func cost(_ text: Substring) -> Scrypt.Cost? {
        var values: [Substring: UInt64] = [:]
        for pair in text.split(separator: ",") {
            let halves = pair.split(separator: "=")
            guard halves.count == 2, let value = UInt64(halves[1]) else { return nil }
            values[halves[0]] = value
        }
        guard let logN = values["ln"], logN < 32, let r = values["r"], let p = values["p"] else { return nil }
        return Scrypt.Cost(n: 1 << logN, r: r, p: p)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    private static func bytes(_ base64: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - base64.utf8.count % 4) % 4)
        return Data(base64Encoded: base64 + padding).map { Array($0) }
    }
}
