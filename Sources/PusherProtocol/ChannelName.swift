/// A checked channel name and what its prefix means (3.1 and 3.2 of the protocol facts).
///
/// The hyphen is part of each prefix: `privateer`, `presences` and `cacheable` are public channels (P48).
package struct ChannelName: Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        case `public`
        case `private`
        /// A private channel whose payloads the broker cannot read; for it they are any other string.
        case encrypted
        case presence
        /// `#server-to-user-{id}`: the events of one signed-in user.
        case user
        /// Where those are told who watch a user. The broker's own: no text from outside makes such a name.
        case watchers
    }

    /// Characters of a user id that a user channel can be named after (5.1).
    package static let maxUserID = 200
    /// Characters of the longest name that any setting allows; the SDKs' bound (3.1).
    package static let maxLength = 200
    private static let userPrefix = "#server-to-user-"
    private static let watchersPrefix = "#watchers-of-"

    package let text: String
    package let kind: Kind
    /// Whether the channel keeps its last event for those who come later (6.1).
    package let isCached: Bool

    /// Nil when a character is outside the alphabet, the name is empty, or longer than `limit` bytes. The limit of a
    /// user channel is that of the user's id.
    package init?(_ text: String, limit: Int) {
        let bytes = text.utf8
        guard bytes.first == UInt8(ascii: "#") else {
            guard bytes.count <= limit, Self.isWellFormed(bytes[...]) else { return nil }
            let (kind, isCached) = Self.meaning(of: bytes)
            self.init(text: text, kind: kind, isCached: isCached)
            return
        }
        guard bytes.starts(with: Self.userPrefix.utf8) else { return nil }
        self.init(user: String(Substring(bytes.dropFirst(Self.userPrefix.utf8.count))))
    }

    /// The channel of a user's events; nil when the id is empty, too long, or has characters that no channel has.
    package init?(user id: String) {
        guard id.utf8.count <= Self.maxUserID, Self.isWellFormed(id.utf8[...]) else { return nil }
        self.init(text: Self.userPrefix + id, kind: .user)
    }

    private init(text: String, kind: Kind, isCached: Bool = false) {
        self.text = text
        self.kind = kind
        self.isCached = isCached
    }

    /// Who is told when the user of this user channel comes and goes.
    package var watchers: ChannelName {
        ChannelName(text: Self.watchersPrefix + (self.userID ?? ""), kind: .watchers)
    }

    /// Whose channel this is; nil when it is nobody's.
    package var userID: String? {
        switch self.kind {
        case .user: String(self.text.dropFirst(Self.userPrefix.count))
        case .watchers: String(self.text.dropFirst(Self.watchersPrefix.count))
        default: nil
        }
    }

    package var description: String { self.text }

    private static func meaning(of name: String.UTF8View) -> (Kind, isCached: Bool) {
        func has(_ prefix: StaticString) -> Bool {
            name.starts(with: UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount))
        }
        if has("private-") {
            if has("private-encrypted-") { return (.encrypted, has("private-encrypted-cache-")) }
            return (.private, has("private-cache-"))
        }
        if has("presence-") { return (.presence, has("presence-cache-")) }
        return (.public, has("cache-"))
    }

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

extension ChannelName: Hashable {
    package static func == (a: ChannelName, b: ChannelName) -> Bool { a.text == b.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(self.text) }
}
