internal import Glibc

/// What counts as one network address: an IPv4 address, or the /64 of an IPv6 address, of which one subscriber has all.
enum NetworkKey: Hashable {
    case ipv4(UInt32)
    case ipv6Prefix(UInt64)
    /// What is neither.
    case other(String)

    init(_ address: String) {
        var ipv4 = in_addr()
        var ipv6 = in6_addr()
        if inet_pton(AF_INET, address, &ipv4) == 1 {
            self = .ipv4(UInt32(bigEndian: ipv4.s_addr))
        } else if inet_pton(AF_INET6, address, &ipv6) == 1 {
            let bits = withUnsafeBytes(of: &ipv6) { $0.reduce(UInt128(0)) { $0 << 8 | UInt128($1) } }
            // An IPv4 address in IPv6 clothes (RFC 4291 section 2.5.5.2).
            self = bits >> 32 == 0xFFFF ? .ipv4(UInt32(truncatingIfNeeded: bits)) : .ipv6Prefix(UInt64(bits >> 64))
        } else {
            self = .other(address)
        }
    }
}
