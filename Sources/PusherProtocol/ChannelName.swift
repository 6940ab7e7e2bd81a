/// A checked channel name and what its prefix means (3.1 and 3.2 of the protocol facts).
///
/// The hyphen is part of each prefix: `privateer` and `presences` are public channels (P48).
package struct ChannelName: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        case `public`
        case `private`
        /// A private channel whose payloads the broker cannot read; for it they are any other string.
        case encrypted
        case presence
        /// `#server-to-user-{id}`: the events of one signed-in user.
        case user
    }

    package let text: String

    /// Nil when a character is outside the alphabet, the name is empty, or longer than `limit` bytes.
    package init?(_ text: String, limit: Int) {
        let prefix = "#server-to-user-"
        let checked = text.hasPrefix(prefix) ? text.utf8.dropFirst(prefix.utf8.count) : text.utf8[...]
        guard text.utf8.count <= limit, Self.isWellFormed(checked) else { return nil }
        self.text = text
    }

    package var kind: Kind {
        if self.text.hasPrefix("#") { return .user }
        if self.text.hasPrefix("private-encrypted-") { return .encrypted }
        if self.text.hasPrefix("private-") { return .private }
        if self.text.hasPrefix("presence-") { return .presence }
        return .public
    }

    package var description: String { self.text }

    /// `^[-a-zA-Z0-9_=@,.;]+$`; the alphabet of user ids is the same.
    private static func isWellFormed(_ bytes: Substring.UTF8View) -> Bool {
        !bytes.isEmpty
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                    UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: ","), UInt8(ascii: "."), UInt8(ascii: ";"):
                    true
                default: false
                }
            }
    }
}
