/// A set of tickets: a bit for each id up to the greatest one in it. A set of a hundred thousand takes 12 KB, and to look
/// into it costs nothing beside reading a row.
struct TicketSet: Sendable {
    /// Bit `id % 8` of byte `id / 8`; there may be bytes without a ticket at the end.
    private(set) var bytes: [UInt8] = []

    /// How many tickets are in it.
    var count: Int { self.bytes.reduce(0) { $0 + $1.nonzeroBitCount } }

    var isEmpty: Bool { self.bytes.allSatisfy { $0 == 0 } }

    /// All ids, in order.
    var ids: [Int64] {
        var ids: [Int64] = []
        for (index, byte) in self.bytes.enumerated() where byte != 0 {
            for bit in 0..<8 where byte & (1 << UInt8(bit)) != 0 { ids.append(Int64(index * 8 + bit)) }
        }
        return ids
    }

    init() {}

    /// With the bytes of such a set.
    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// Adds a ticket. Ids that no ticket gets within the life of a database are left out: they would fill the memory.
    mutating func insert(_ id: Int64) {
        guard id > 0, id <= Int64(Int32.max) else { return }
        let index = Int(id >> 3)
        // Rows come in the order of their ids, so it grows in large steps.
        if index >= self.bytes.count {
            self.bytes += repeatElement(0, count: max(1024, 2 * (index + 1)) - self.bytes.count)
        }
        self.bytes[index] |= 1 << UInt8(id & 7)
    }

    func intersection(_ other: TicketSet) -> TicketSet {
        TicketSet(bytes: zip(self.bytes, other.bytes).map { $0 & $1 })
    }

    /// Whether `id` is in the set with these bytes.
    static func contains(_ id: Int64, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard id > 0, id >> 3 < Int64(bytes.count) else { return false }
        return bytes[Int(id >> 3)] & (1 << UInt8(id & 7)) != 0
    }
}
