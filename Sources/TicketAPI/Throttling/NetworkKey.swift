internal import Addresses

/// What counts as one network address: an IPv4 address, or the /64 of an IPv6 address, of which one subscriber has all.
enum NetworkKey: Hashable {
    case ipv4(IPAddress)
    case ipv6Prefix(UInt64)
    /// What is neither.
    case other(String)

    init(_ text: String) {
        guard let address = IPAddress(text) else {
            self = .other(text)
            return
        }
        self = address.isIPv4 ? .ipv4(address) : .ipv6Prefix(address.prefix64)
    }
}
