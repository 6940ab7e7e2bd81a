/// A set of tickets: a bit for each id up to the greatest one in it. A set of a hundred thousand takes 12 KB, and to look
/// into it costs nothing beside reading a row.
struct TicketSet: Sendable, Equatable {
    /// Bit `id % 8` of byte `id / 8`. The last byte is not 0.
    private(set) var bytes: [UInt8] = []

    /// How many tickets are in it.
    var count: Int { self.bytes.reduce(0) { $0 + $1.nonzeroBitCount } }

    var isEmpty: Bool { self.bytes.isEmpty }

    /// All ids, in order.
    var ids: [Int64] {
        var ids: [Int64] = []
        for (index, byte) in self.bytes.enumerated() where byte != 0 {
            for bit in 0..<8 where byte & (1 << UInt8(bit)) != 0 { ids.append(Int64(index * 8 + bit)) }
        }
        return ids
    }

    init() {}

    /// From what `ticket_set` gathered.
    init(bytes: [UInt8]) {
        self.bytes = bytes
        self.dropEmptyEnd()
    }

    mutating func formIntersection(_ other: TicketSet) {
        if self.bytes.count > other.bytes.count { self.bytes.removeLast(self.bytes.count - other.bytes.count) }
        for index in self.bytes.indices { self.bytes[index] &= other.bytes[index] }
        self.dropEmptyEnd()
    }

    private mutating func dropEmptyEnd() {
        while self.bytes.last == 0 { self.bytes.removeLast() }
    }

    /// Whether `id` is in the set with these bytes.
    static func contains(_ id: Int64, in bytes: UnsafeRawBufferPointer) -> Bool {
        guard id > 0, id >> 3 < Int64(bytes.count) else { return false }
        return bytes[Int(id >> 3)] & (1 << UInt8(id & 7)) != 0
    }
}
