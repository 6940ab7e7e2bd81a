package import PusherPublisher
internal import Yams

/// `protocol-spec/openapi.yaml`, which is compiled into the program: the ticket API's routes, fields and answers.
package enum APIDescription {
    /// The document as JSON, its members in the file's order. Takes some milliseconds.
    ///
    /// Throws when the file is not YAML or has a value that the document does not need: a fraction, a tag.
    package static func json() throws -> JSON {
        let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
        guard let root = try Yams.compose(yaml: text) else { throw UnknownValue(line: 1) }
        return try self.json(root)
    }

    private static func json(_ node: Node) throws -> JSON {
        switch node {
        case .mapping(let mapping):
            return .object(
                try mapping.map { key, value in
                    guard let name = key.scalar?.string else { throw UnknownValue(key) }
                    return (name: name, value: try self.json(value))
                })
        case .sequence(let sequence):
            return .array(try sequence.map(self.json))
        case .scalar(let scalar):
            if node.tag == Tag(.str) { return .string(scalar.string) }
            if node.null != nil { return .null }
            if let value = node.bool { return .bool(value) }
            if let value = Int64(scalar.string) { return .int(value) }
            throw UnknownValue(node)
        case .alias:
            throw UnknownValue(node)
        }
    }

    private struct UnknownValue: Error {
        let line: Int

        init(line: Int) {
            self.line = line
        }

        init(_ node: Node) {
            self.line = node.mark?.line ?? 0
        }
    }
}
