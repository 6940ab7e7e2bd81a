package import PusherProtocol

/// Whether a client may have a connection: what its WebSocket URL and its `Origin` say (section 1 of the protocol
/// facts).
package enum ConnectionAdmission {
    /// The key in `/app/{key}`; nil when the path is another one.
    package static func key(inPath path: String) -> String? {
        let prefix = "/app/"
        guard path.utf8.starts(with: prefix.utf8), path.utf8.count > prefix.utf8.count else { return nil }
        let key = path.utf8.dropFirst(prefix.utf8.count)
        return key.contains(UInt8(ascii: "/")) ? nil : String(Substring(key))
    }

    /// Protocol versions 5 to 7 are served; no version means 7 (P6 to P9). A query that cannot be read, given as nil,
    /// may hide any version.
    package static func checkVersion(_ query: QueryParameters?) throws(ProtocolError) {
        guard let query else { throw .malformedVersion }
        guard let text = query["protocol"] else { return }
        guard let version = Int(text) else { throw .malformedVersion }
        guard (5...7).contains(version) else { throw .unsupportedVersion }
    }

    /// Checks the host of `origin` against the app's list (P15, P16).
    package static func checkOrigin(_ origin: String?, of application: Application) throws(ProtocolError) {
        guard let allowed = application.allowedOrigins, let origin else { return }
        guard allowed.contains(self.host(ofOrigin: origin)) else { throw .originNotAllowed }
    }

    /// `https://app.example.test:8443` → `app.example.test`, in lower case. An IPv6 host keeps its brackets.
    package static func host(ofOrigin origin: String) -> String {
        var rest = origin.lowercased()[...]
        if let scheme = rest.range(of: "://") { rest = rest[scheme.upperBound...] }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") { rest = rest[..<colon] }
        return String(rest)
    }
}

extension Substring {
    /// The range of the first occurrence of ASCII `text`.
    fileprivate func range(of text: StaticString) -> Range<Index>? {
        let wanted = UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        var start = self.startIndex
        while start < self.endIndex {
            if self.utf8[start...].starts(with: wanted) {
                return start..<self.utf8.index(start, offsetBy: wanted.count)
            }
            start = self.utf8.index(after: start)
        }
        return nil
    }
}
