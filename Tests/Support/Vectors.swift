package import Foundation

/// The test vectors of `protocol-spec/vectors`.
package enum Vectors {
    /// The repository's root, links resolved.
    package static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Reads one file of vectors; `snake_case` members become `camelCase` properties.
    package static func load<Content: Decodable>(_ name: String) throws -> Content {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let file = self.root.appending(path: "protocol-spec/vectors/\(name).json")
        return try decoder.decode(Content.self, from: try Data(contentsOf: file))
    }

    /// The bytes that lower-case hexadecimal stands for.
    package static func bytes(hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
