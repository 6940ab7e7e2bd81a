/// Where a client is and whether it came by TLS, as far as the server can trust what it is told.
package struct ClientOrigin: Equatable, Sendable {
    package let address: IPAddress
    package let usesTLS: Bool

    /// - Parameters:
    ///   - peer: the other end of the socket.
    ///   - overTLS: whether the socket itself carries TLS.
    ///   - forwardedFor: the values of all `X-Forwarded-For` fields in their order, joined by commas.
    ///   - forwardedProto: likewise for `X-Forwarded-Proto`.
    ///   - trusted: the proxies whose word counts. Anybody can send these fields; from others they mean nothing.
    package init(
        peer: IPAddress, overTLS: Bool, forwardedFor: String?, forwardedProto: String?, trusted: [CIDR]
    ) {
        guard trusted.contains(where: { $0.contains(peer) }) else {
            self.address = peer
            self.usesTLS = overTLS
            return
        }
        self.address = Self.client(behind: peer, forwardedFor: forwardedFor, trusted: trusted)
        self.usesTLS = forwardedProto.map(Self.isSecure) ?? overTLS
    }

    /// Every proxy adds the address it was called from at the right end. So the first from the right that is not a
    /// trusted proxy's is the client, and what stands to the left of it is the client's own invention.
    private static func client(behind peer: IPAddress, forwardedFor: String?, trusted: [CIDR]) -> IPAddress {
        var client = peer
        for member in self.members(of: forwardedFor ?? "").reversed() {
            guard let address = self.address(in: member) else { break }
            client = address
            guard trusted.contains(where: { $0.contains(address) }) else { break }
        }
        return client
    }

    /// The address in a member of `X-Forwarded-For`; some proxies add a port, and brackets to IPv6.
    private static func address(in text: Substring) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        if text.utf8.first == UInt8(ascii: "["), let end = text.utf8.lastIndex(of: UInt8(ascii: "]")) {
            return IPAddress(text[text.utf8.index(after: text.startIndex)..<end])
        }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return IPAddress(text[..<colon])
    }

    /// Several proxies may have had their say: all of them must agree, else somebody came without TLS, or says so.
    private static func isSecure(_ forwardedProto: String) -> Bool {
        self.members(of: forwardedProto).allSatisfy { ["https", "wss"].contains($0.lowercased()) }
    }

    /// The parts of a list between commas, without blanks around them.
    ///
    /// By bytes: to `Character` a comma behind one of some signs (U+0603) is no comma, and a client could hide in this way what
    /// a proxy adds to its list.
    private static func members(of list: String) -> [Substring] {
        list.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { member in
            let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
            var text = member.drop(while: isBlank)
            while let last = text.last, isBlank(last) { text.removeLast() }
            return Substring(text)
        }
    }
}
