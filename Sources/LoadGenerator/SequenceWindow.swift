/// What one subscription has received of one publisher, as numbers counted from 1.
package struct SequenceWindow: Sendable {
    package enum Arrival: Equatable, Sendable {
        case inOrder
        /// Behind one that was published later.
        case reordered
        case duplicate
    }

    private var last: UInt32 = 0
    /// Of the 64 up to `last`, which have come; the lowest bit is `last` itself.
    private var seen: UInt64 = 0

    package init() {}

    /// Notes an arrival. One that is more than 63 behind the last is taken for reordered: nobody knows any more.
    @inline(__always)
    package mutating func note(_ number: UInt32) -> Arrival {
        if number > self.last {
            let step = number - self.last
            self.seen = step >= 64 ? 1 : self.seen << UInt64(step) | 1
            self.last = number
            return .inOrder
        }
        let age = self.last - number
        guard age < 64 else { return .reordered }
        let bit: UInt64 = 1 << UInt64(age)
        guard self.seen & bit == 0 else { return .duplicate }
        self.seen |= bit
        return .reordered
    }
}
