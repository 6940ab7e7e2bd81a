/// What counts as one network address: an IPv4 address, or the /64 of an IPv6 address, of which one subscriber has all.
package enum NetworkKey: Hashable, Sendable {
    case ipv4(IPAddress)
    case ipv6Prefix(UInt64)
    /// What is neither.
    case other(String)

    package init(_ address: IPAddress) {
        self = address.isIPv4 ? .ipv4(address) : .ipv6Prefix(address.prefix64)
    }

    package init(_ text: String) {
        self = IPAddress(text).map { NetworkKey($0) } ?? .other(text)
    }
}
