internal import Synchronization

/// At most five failed logins in any minute for an email address and a network address together.
///
/// A slot is taken before the password is looked at and given back when it was right, so attempts made at the same
/// time cannot slip past each other.
final class LoginThrottle: Sendable {
    static let limit = 5
    private static let windowSeconds: Int64 = 60

    struct Slot: Sendable {
        fileprivate let key: Key
        fileprivate let takenAt: Timestamp
    }

    fileprivate struct Key: Hashable, Sendable {
        let email: String
        let address: String
    }

    private struct Record {
        /// When the slots were taken that are not given back, oldest first.
        var slots: [Key: [Timestamp]] = [:]
        var sweptAt = Timestamp(microseconds: .min)
    }

    private let record = Mutex(Record())

    /// Throws `throttled` when all slots of the last minute are taken.
    func take(email: String, address: String, now: Timestamp) throws(TicketFailure) -> Slot {
        let key = Key(email: email, address: address)
        let oldest: Timestamp? = self.record.withLock { record in
            let horizon = now.advanced(bySeconds: -Self.windowSeconds)
            self.sweep(&record, horizon: horizon, now: now)
            var slots = record.slots[key, default: []].filter { $0 > horizon }
            if slots.count >= Self.limit { return slots.first }
            slots.append(now)
            record.slots[key] = slots
            return nil
        }
        guard let oldest else { return Slot(key: key, takenAt: now) }
        let wait = oldest.advanced(bySeconds: Self.windowSeconds).microseconds - now.microseconds
        throw .throttled(retryAfterSeconds: max(1, (wait + 999_999) / 1_000_000), limit: Self.limit)
    }

    func giveBack(_ slot: Slot) {
        self.record.withLock { record in
            guard let index = record.slots[slot.key]?.firstIndex(of: slot.takenAt) else { return }
            record.slots[slot.key]?.remove(at: index)
        }
    }

    /// Once a minute, forgets who has no slot left. Between sweeps the table grows with the hashes done, and those are
    /// few.
    private func sweep(_ record: inout Record, horizon: Timestamp, now: Timestamp) {
        guard record.sweptAt <= horizon else { return }
        record.sweptAt = now
        record.slots = record.slots.filter { slots in slots.value.contains { $0 > horizon } }
    }
}
