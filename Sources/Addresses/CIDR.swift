/// A range of addresses, as in `10.0.0.0/8`, `2001:db8::/32`, or one address alone (RFC 4632).
package struct CIDR: Hashable, Sendable, CustomStringConvertible {
    /// Why a text is no range; `description` is for the operator.
    package struct Invalid: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    private let network: IPAddress
    /// How many of the 128 bits count.
    private let length: Int

    package init(_ text: String) throws(Invalid) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else {
            throw Invalid(description: "\"\(text.prefix(64))\" is not an address or a range such as 10.0.0.0/8 or ::1")
        }
        // A range in mapped form counts its bits as IPv6 does.
        let isWrittenAsIPv4 = !parts[0].utf8.contains(UInt8(ascii: ":"))
        let longest = isWrittenAsIPv4 ? 32 : 128
        var prefix = longest
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
                let number = Int(parts[1]), number <= longest
            else {
                throw Invalid(
                    description: "\"\(text.prefix(64))\" has no prefix length from 0 to \(longest) after its /")
            }
            prefix = number
        }
        self.length = prefix + 128 - longest
        self.network = IPAddress(bits: address.bits & Self.mask(self.length))
        guard self.network == address else {
            throw Invalid(
                description: "\"\(text)\" has bits set behind its prefix; the range is \(self.network)/\(prefix)")
        }
    }

    package func contains(_ address: IPAddress) -> Bool {
        // `::/0` is every IPv6 address and no IPv4 one.
        guard address.isIPv4 == (self.network.isIPv4 && self.length >= 96) else { return false }
        return address.bits & Self.mask(self.length) == self.network.bits
    }

    package var description: String {
        "\(self.network)/\(self.network.isIPv4 && self.length >= 96 ? self.length - 96 : self.length)"
    }

    private static func mask(_ length: Int) -> UInt128 {
        // Shifted by 128, all bits are gone.
        UInt128.max << UInt128(128 - length)
    }
}
