import Addresses

// Where a client says that it is: `X-Forwarded-For`, and after a line end `X-Forwarded-Proto`.

private let proxies = [try? CIDR("10.0.0.0/8"), try? CIDR("fd00::/8")].compactMap { $0 }
private let proxy = IPAddress("10.1.2.3")!
private let stranger = IPAddress("198.51.100.9")!
private let client = IPAddress("192.0.2.7")!

private func origin(_ peer: IPAddress, _ forwardedFor: String?, _ forwardedProto: String?) -> ClientOrigin {
    ClientOrigin(
        peer: peer, overTLS: false, forwardedFor: forwardedFor, forwardedProto: forwardedProto, trusted: proxies)
}

/// Whether `text` is an IPv4 address in the one form that all parsers read alike.
private func isPlainIPv4(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    return parts.count == 4
        && parts.allSatisfy { part in
            (1...3).contains(part.count) && part.allSatisfy { (48...57).contains($0) }
                && (part.count == 1 || part.first != UInt8(ascii: "0")) && Int(String(part) ?? "") ?? 256 < 256
        }
}

private func check(_ text: String) {
    let address = IPAddress(text)
    if !text.utf8.contains(UInt8(ascii: ":")) {
        require((address != nil) == isPlainIPv4(text), "an IPv4 address is four plain numbers")
    }
    if let address {
        require(IPAddress(address.description) == address, "an address is read as it is written")
        require(address.isIPv4 == !address.description.utf8.contains(UInt8(ascii: ":")), "each family has its form")
    }
    if let range = try? CIDR(text) {
        require((try? CIDR(range.description)) == range, "a range is read as it is written")
        if let slash = text.firstIndex(of: "/"), let network = IPAddress(text[..<slash]) {
            require(range.contains(network), "a range holds its first address")
        }
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let text = String(validating: input(start, count), as: UTF8.self) else { return 0 }
    let lines = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let (forwardedFor, proto) = (lines[0], lines.count > 1 ? lines[1] : nil)
    check(forwardedFor)

    let believed = origin(stranger, forwardedFor, proto)
    require(believed.address == stranger && !believed.usesTLS, "a stranger's word counts nothing")
    _ = origin(proxy, forwardedFor, proto)
    let behind = origin(proxy, "\(forwardedFor), \(client)", proto)
    require(behind.address == client, "what stands to the left of the client is its own invention")
    let chained = origin(proxy, "\(forwardedFor), \(client), 10.9.9.9", proto)
    require(chained.address == client, "proxies of ours are passed over")
    require(!origin(proxy, nil, "\(proto ?? ""), http").usesTLS, "one proxy that came without TLS is enough")
    return 0
}
