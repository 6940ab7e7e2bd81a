internal import Addresses
internal import Synchronization

/// At most five failed logins in any minute for an email address and a network address together.
///
/// A slot is taken before the password is looked at and given back when it was right, so attempts made at the same
/// time cannot slip past each other.
final class LoginThrottle: Sendable {
    static let limit = 5
    /// How many pairs of addresses may have slots. Each stands for a hash of the last minute, of which four threads do
    /// about 2,400.
    static let maxKeys = 10_000
    private static let windowSeconds: Int64 = 60

    struct Slot: Sendable {
        fileprivate let key: Key
        fileprivate let takenAt: Timestamp
    }

    fileprivate struct Key: Hashable, Sendable {
        let email: String
        let address: NetworkKey
    }

    private let record = Mutex(Record())

    /// Throws `throttled` when all slots of the last minute are taken, `overloaded` when there is no room for another
    /// pair of addresses. Both are at most a few hundred characters: what is kept is no longer.
    func take(email: String, address: String, now: Timestamp) throws(TicketFailure) -> Slot {
        let slot = Slot(key: Key(email: email, address: NetworkKey(address)), takenAt: now)
        try self.record.withLock { record throws(TicketFailure) in try record.add(slot) }
        return slot
    }

    func giveBack(_ slot: Slot) {
        self.record.withLock { $0.remove(slot) }
    }

    private struct Record {
        /// When the slots were taken that are not given back, oldest first. No list is empty.
        private var slots: [Key: [Timestamp]] = [:]
        private var sweptAt = Timestamp(microseconds: .min)

        mutating func add(_ slot: Slot) throws(TicketFailure) {
            let now = slot.takenAt
            self.sweep(now)
            let taken = self.slots[slot.key, default: []].filter { Self.counts($0, at: now) }
            if taken.count >= LoginThrottle.limit, let oldest = taken.first {
                throw .throttled(
                    limit: LoginThrottle.limit, until: oldest.advanced(bySeconds: LoginThrottle.windowSeconds),
                    now: now)
            }
            guard self.slots[slot.key] != nil || self.slots.count < LoginThrottle.maxKeys else { throw .overloaded }
            self.slots[slot.key] = taken + [now]
        }

        /// A slot of the last minute. One that lies further ahead than a minute is from before the clock was put back.
        private static func counts(_ takenAt: Timestamp, at now: Timestamp) -> Bool {
            takenAt > now.advanced(bySeconds: -LoginThrottle.windowSeconds)
                && takenAt <= now.advanced(bySeconds: LoginThrottle.windowSeconds)
        }

        mutating func remove(_ slot: Slot) {
            guard var taken = self.slots[slot.key], let index = taken.firstIndex(of: slot.takenAt) else { return }
            taken.remove(at: index)
            self.slots[slot.key] = taken.isEmpty ? nil : taken
        }

        /// Once a minute, and when there is no room, forgets who has no slot left. Between sweeps the table grows with
        /// the logins that failed or are under way, up to `maxKeys`.
        private mutating func sweep(_ now: Timestamp) {
            guard !Self.counts(self.sweptAt, at: now) || self.slots.count >= LoginThrottle.maxKeys else { return }
            self.sweptAt = now
            self.slots = self.slots.filter { slots in slots.value.contains { Self.counts($0, at: now) } }
        }
    }
}
