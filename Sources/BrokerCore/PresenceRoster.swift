package import PusherProtocol

/// Who is present in one channel, counted by user and not by connection (3.8 of the protocol facts).
///
/// Pure: a method changes the roster and returns what is now owed to the others. It sends nothing.
package struct PresenceRoster: Sendable {
    private struct Entry {
        let member: PresenceMember
        let place: UInt64
        var connections: Int
    }

    package enum JoinResult: Equatable, Sendable {
        /// The user's first connection: tell the others (P64).
        case isNew
        /// One more connection of a member: nobody is told, and the first one's `user_info` stays (P66).
        case isKnown
        /// The channel is full of other users (P77).
        case full
    }

    private var entries: [String: Entry] = [:]
    private var places: UInt64 = 0

    package init() {}

    /// Distinct users.
    package var count: Int { self.entries.count }

    /// The users, in the order they came.
    package var members: [PresenceMember] {
        self.entries.values.sorted { $0.place < $1.place }.map(\.member)
    }

    /// Adds one connection of a user. `limit` is how many distinct users fit.
    package mutating func join(_ member: PresenceMember, limit: Int) -> JoinResult {
        if self.entries[member.userID] != nil {
            self.entries[member.userID]?.connections += 1
            return .isKnown
        }
        guard self.entries.count < limit else { return .full }
        self.places += 1
        self.entries[member.userID] = Entry(member: member, place: self.places, connections: 1)
        return .isNew
    }

    /// Takes one connection of a user away. True when it was the last one: tell the others (P67, P68).
    package mutating func leave(_ userID: String) -> Bool {
        guard let entry = self.entries[userID] else { return false }
        guard entry.connections == 1 else {
            self.entries[userID]?.connections -= 1
            return false
        }
        self.entries[userID] = nil
        return true
    }
}
