import Glibc

/// An IPv4 or IPv6 address. An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`) is the IPv4 address, whichever way it
/// came in.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address as an IPv6 one; IPv4 is mapped to `::ffff:0:0/96` (RFC 4291 section 2.5.5.2).
    let bits: UInt128

    private static let mapped: UInt128 = 0xFFFF_0000_0000

    init(bits: UInt128) {
        self.bits = bits
    }

    /// Four or sixteen bytes in network order; nil for any other number.
    package init?(_ bytes: UnsafeRawBufferPointer) {
        let number = bytes.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        switch bytes.count {
        case 4: self.bits = Self.mapped | number
        case 16: self.bits = number
        default: return nil
        }
    }

    /// `192.0.2.1` or `2001:db8::1`; nil for anything else, brackets, ports and zones included.
    package init?(_ text: some StringProtocol) {
        // A longer text is none, and C would not see what follows a zero byte.
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        let address = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 4) { buffer -> IPAddress? in
            let family = text.utf8.contains(UInt8(ascii: ":")) ? AF_INET6 : AF_INET
            guard inet_pton(family, String(text), buffer.baseAddress) == 1 else { return nil }
            return IPAddress(UnsafeRawBufferPointer(rebasing: buffer[..<(family == AF_INET ? 4 : 16)]))
        }
        guard let address else { return nil }
        self = address
    }

    package var isIPv4: Bool { self.bits >> 32 == Self.mapped >> 32 }

    /// The first half of an IPv6 address: its network.
    package var prefix64: UInt64 { UInt64(self.bits >> 64) }

    package var description: String {
        withUnsafeBytes(of: self.bits.bigEndian) { bytes in
            let (family, start) = self.isIPv4 ? (AF_INET, 12) : (AF_INET6, 0)
            return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
                let address = UnsafeRawBufferPointer(rebasing: bytes[start...]).baseAddress
                guard let start = inet_ntop(family, address, text.baseAddress, socklen_t(text.count)) else { return "" }
                return String(cString: start)
            }
        }
    }
}
