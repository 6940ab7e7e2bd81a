package import PusherProtocol

/// Who is present in one channel, counted by user and not by connection (3.8 of the protocol facts).
///
/// Pure: a method changes the roster and returns what is now owed to the others. It sends nothing.
package struct PresenceRoster: Sendable {
    private struct Entry {
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

    /// By the bytes of the user id: `String` would take ids for equal that clients tell apart (é, and e with an accent).
    private var entries: [[UInt8]: Entry] = [:]
    /// In the order they came, which is that of their places.
    private var ordered: [(place: UInt64, member: PresenceMember)] = []
    private var places: UInt64 = 0

    package init() {}

    /// Distinct users.
    package var count: Int { self.entries.count }

    /// The users, in the order they came.
    package var members: [PresenceMember] {
        self.ordered.map(\.member)
    }

    /// Adds one connection of a user. `limit` is how many distinct users fit.
    package mutating func join(_ member: PresenceMember, limit: Int) -> JoinResult {
        let key = Array(member.userID.utf8)
        if self.entries[key] != nil {
            self.entries[key]?.connections += 1
            return .isKnown
        }
        guard self.entries.count < limit else { return .full }
        self.places += 1
        self.entries[key] = Entry(place: self.places, connections: 1)
        self.ordered.append((self.places, member))
        return .isNew
    }

    /// Takes one connection of a user away. True when it was the last one: tell the others (P67, P68).
    package mutating func leave(_ userID: String) -> Bool {
        let key = Array(userID.utf8)
        guard let entry = self.entries[key] else { return false }
        guard entry.connections == 1 else {
            self.entries[key]?.connections -= 1
            return false
        }
        self.entries[key] = nil
        self.ordered.remove(at: self.index(of: entry.place))
        return true
    }

    /// Where a place stands in `ordered`.
    private func index(of place: UInt64) -> Int {
        var (low, high) = (0, self.ordered.count)
        while low < high {
            let middle = (low + high) / 2
            if self.ordered[middle].place < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
