/// Lets so many events a second pass, and as many at once after a quiet second.
///
/// Pure: instants are nanoseconds of a clock that never goes back.
package struct EventRate: Sendable {
    private var limit = 0
    /// When all that has passed would have passed at an even pace.
    private var paidUntil: UInt64 = 0

    package init() {}

    /// Whether `count` more events pass: nil, or how many nanoseconds later they would. `limit` is events a second,
    /// above 0; another one than before begins anew. What is more than a second's worth passes when nothing else has
    /// for a second.
    package mutating func admit(_ count: Int, limit: Int, now: UInt64) -> UInt64? {
        if limit != self.limit {
            self.limit = limit
            self.paidUntil = now
        }
        let second: UInt64 = 1_000_000_000
        let cost = UInt64(max(count, 0)) * (second / UInt64(max(limit, 1)))
        let paid = max(self.paidUntil, now)
        let allowed = now + max(second, cost)
        guard paid + cost <= allowed else { return paid + cost - allowed }
        self.paidUntil = paid + cost
        return nil
    }
}
