/// A set of event loops, by index.
package struct LoopSet: Equatable, Sendable, Sequence {
    /// How many loops there can be.
    package static let capacity = 64

    private var bits: UInt64 = 0

    package init() {}

    package mutating func insert(_ loop: Int) { self.bits |= 1 << UInt64(loop) }
    mutating func remove(_ loop: Int) { self.bits &= ~(1 << UInt64(loop)) }

    package struct Iterator: IteratorProtocol {
        fileprivate var bits: UInt64

        package mutating func next() -> Int? {
            guard self.bits != 0 else { return nil }
            defer { self.bits &= self.bits - 1 }
            return self.bits.trailingZeroBitCount
        }
    }

    package func makeIterator() -> Iterator { Iterator(bits: self.bits) }
}
