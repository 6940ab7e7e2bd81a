/// What the data of an event says about it: `{"m":"@@…@@","p":"xxx"}`, with every number at a fixed place.
package struct Marker: Equatable, Sendable {
    /// The event's number in the run.
    package var event: UInt32
    /// Who published it, and which it is of what they published to its channel, from 1 on.
    package var publisher: UInt16
    package var sequence: UInt32
    /// When it was to be sent, in nanoseconds since the run began; below 2^48.
    package var due: UInt64

    package init(event: UInt32, publisher: UInt16, sequence: UInt32, due: UInt64) {
        self.event = event
        self.publisher = publisher
        self.sequence = sequence
        self.due = due
    }

    /// `@@`, 8 + 4 + 8 + 12 hexadecimal digits, `@@`.
    package static let length = 36
    package static let minPayload = Self.length + 15

    /// Reads the marker that begins at `bytes[offset]`; nil when there is none.
    package init?(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard offset >= 0, offset + Self.length <= bytes.count, Self.isFence(bytes, at: offset),
            Self.isFence(bytes, at: offset + Self.length - 2)
        else { return nil }
        var isHex = true
        func number(_ start: Int, _ digits: Int) -> UInt64 {
            var value: UInt64 = 0
            for index in (offset + start)..<(offset + start + digits) {
                let byte = bytes[index]
                let digit = byte <= UInt8(ascii: "9") ? byte &- 48 : byte &- 87
                if digit > 15 || (digit < 10) != (byte <= UInt8(ascii: "9")) { isHex = false }
                value = value << 4 | UInt64(digit & 15)
            }
            return value
        }
        self.event = UInt32(truncatingIfNeeded: number(2, 8))
        self.publisher = UInt16(truncatingIfNeeded: number(10, 4))
        self.sequence = UInt32(truncatingIfNeeded: number(14, 8))
        self.due = number(22, 12)
        guard isHex else { return nil }
    }

    /// Where the first marker begins; nil when there is none.
    package static func find(in bytes: UnsafeRawBufferPointer) -> Int? {
        var index = 0
        while index + self.length <= bytes.count {
            if self.isFence(bytes, at: index), Marker(bytes, at: index) != nil { return index }
            index += 1
        }
        return nil
    }

    private static func isFence(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        bytes[offset] == UInt8(ascii: "@") && bytes[offset + 1] == UInt8(ascii: "@")
    }

    /// The data of the event, `size` bytes long.
    package func data(size: Int) -> String {
        String(unsafeUninitializedCapacity: size) { output in
            var count = 0
            func write(_ text: StaticString) {
                for index in 0..<text.utf8CodeUnitCount {
                    output[count] = text.utf8Start[index]
                    count += 1
                }
            }
            func write(_ number: some FixedWidthInteger & UnsignedInteger, _ digits: Int) {
                for place in (0..<digits).reversed() {
                    let digit = UInt8(truncatingIfNeeded: number >> (4 * place)) & 15
                    output[count] = digit < 10 ? digit + 48 : digit + 87
                    count += 1
                }
            }
            write(#"{"m":"@@"#)
            write(self.event, 8)
            write(self.publisher, 4)
            write(self.sequence, 8)
            write(self.due, 12)
            write(#"@@","p":""#)
            while count < size - 2 {
                output[count] = UInt8(ascii: "x")
                count += 1
            }
            write(#""}"#)
            return count
        }
    }
}
