/// Where a web page comes from, as a browser writes it into `Origin` (RFC 6454 section 6.2).
package struct WebOrigin: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    /// `https://app.example.com` or `http://localhost:3000`: scheme and host in any case, no path. nil for anything else.
    package init?(_ text: some StringProtocol) {
        let text = text.lowercased()
        guard let scheme = ["https://", "http://"].first(where: { text.hasPrefix($0) }) else { return nil }
        let rest = text.dropFirst(scheme.count)
        // A colon within brackets belongs to an IPv6 address.
        let hostEnd = rest.lastIndex(of: "]").map { rest.index(after: $0) } ?? rest.firstIndex(of: ":") ?? rest.endIndex
        let (host, port) = (rest[..<hostEnd], rest[hostEnd...])
        guard (1...253).contains(host.utf8.count), Self.isName(host) || Self.isBracketed(host) else { return nil }
        guard !port.isEmpty else {
            self.description = text
            return
        }
        guard port.first == ":", (2...6).contains(port.utf8.count),
            port.utf8.dropFirst().allSatisfy({ (48...57).contains($0) }),
            let number = Int(port.dropFirst()), (1...65535).contains(number)
        else { return nil }
        // Browsers leave out the port that the scheme has anyway.
        let isDefault = number == (scheme == "https://" ? 443 : 80)
        self.description = "\(scheme)\(host)" + (isDefault ? "" : ":\(number)")
    }

    private static func isName(_ host: Substring) -> Bool {
        host.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "."), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    private static func isBracketed(_ host: Substring) -> Bool {
        host.first == "[" && host.last == "]"
            && host.utf8.dropFirst().dropLast().allSatisfy {
                (48...57).contains($0) || (97...102).contains($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
            }
    }
}
