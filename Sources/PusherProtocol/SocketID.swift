/// The identifier of one connection: two decimal numbers joined by a dot (1.5 of the protocol facts).
///
/// Both halves stay below 2^32, so that any consumer may read them as numbers.
package struct SocketID: Hashable, Sendable, CustomStringConvertible {
    package let first: UInt32
    package let second: UInt32

    package init(first: UInt32, second: UInt32) {
        self.first = first
        self.second = second
    }

    package var description: String { "\(self.first).\(self.second)" }
}

extension SocketID {
    /// What a publisher may name as `socket_id`: `^[0-9]+\.[0-9]+$` (P128).
    package enum Reference: Equatable, Sendable {
        /// One that this broker could have issued.
        case known(SocketID)
        /// Well-formed, but too large to be one of ours: excludes nobody.
        case foreign

        /// Reads the text of a `socket_id`; nil when it is malformed.
        package init?(_ text: some StringProtocol) {
            let halves = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2,
                halves.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0 >= 48 && $0 <= 57 } })
            else { return nil }
            // A leading zero is well-formed, but no identifier of ours has one.
            let isCanonical = halves.allSatisfy { $0.count == 1 || $0.first != 48 }
            if isCanonical, let first = UInt32(String(decoding: halves[0], as: UTF8.self)),
                let second = UInt32(String(decoding: halves[1], as: UTF8.self))
            {
                self = .known(SocketID(first: first, second: second))
            } else {
                self = .foreign
            }
        }
    }
}
