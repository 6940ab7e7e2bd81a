import Glibc

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
        var text = text
        guard let name = text.withUTF8({ ChannelName(UnsafeRawBufferPointer($0), limit: limit) }) else { return nil }
        self = name
    }

    /// The same for UTF-8.
    package init?(_ bytes: UnsafeRawBufferPointer, limit: Int) {
        guard bytes.first == UInt8(ascii: "#") else {
            guard bytes.count <= limit, Self.isWellFormed(bytes) else { return nil }
            let (kind, isCached) = Self.meaning(of: bytes)
            self.init(text: String(decoding: bytes, as: UTF8.self), kind: kind, isCached: isCached)
            return
        }
        guard bytes.starts(with: Self.userPrefix.utf8) else { return nil }
        self.init(user: String(decoding: bytes.dropFirst(Self.userPrefix.utf8.count), as: UTF8.self))
    }

    /// The channel of a user's events; nil when the id is empty, too long, or has characters that no channel has.
    package init?(user id: String) {
        var id = id
        guard id.utf8.count <= Self.maxUserID, id.withUTF8({ Self.isWellFormed(UnsafeRawBufferPointer($0)) }) else {
            return nil
        }
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

    private static func meaning(of name: UnsafeRawBufferPointer) -> (Kind, isCached: Bool) {
        func has(_ prefix: StaticString) -> Bool {
            guard let start = name.baseAddress, name.count >= prefix.utf8CodeUnitCount else { return false }
            return memcmp(start, prefix.utf8Start, prefix.utf8CodeUnitCount) == 0
        }
        if has("private-") {
            if has("private-encrypted-") { return (.encrypted, has("private-encrypted-cache-")) }
            return (.private, has("private-cache-"))
        }
        if has("presence-") { return (.presence, has("presence-cache-")) }
        return (.public, has("cache-"))
    }

    /// `^[-a-zA-Z0-9_=@,.;]+$`; the alphabet of user ids is the same.
    private static func isWellFormed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for byte in bytes {
            // A bit each for the 128 characters of ASCII.
            let bits: UInt64 = byte < 64 ? 0x2BFF_7000_0000_0000 : 0x07FF_FFFE_87FF_FFFF
            guard byte < 128, bits >> UInt64(byte & 63) & 1 == 1 else { return false }
        }
        return !bytes.isEmpty
    }
}

extension ChannelName: Hashable {
    package static func == (a: ChannelName, b: ChannelName) -> Bool { a.text == b.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(self.text) }
}
