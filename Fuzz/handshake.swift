import BrokerCore
import PusherProtocol

// The path and query of a WebSocket URL, after a line end an `Origin`, after another a channel's name.

private func checkOrigin(_ origin: String) {
    let host = ConnectionAdmission.host(ofOrigin: origin)
    require(host == host.lowercased(), "a host has no case")
    let isPlain = { (byte: UInt8) in (97...122).contains(byte) || (48...57).contains(byte) || byte == 46 || byte == 45 }
    guard !origin.isEmpty, origin.utf8.allSatisfy(isPlain) else { return }
    require(ConnectionAdmission.host(ofOrigin: "https://\(origin):8443") == origin, "a host is without scheme and port")
    require(ConnectionAdmission.host(ofOrigin: "HTTP://\(origin)") == origin, "a host is without a scheme of any case")
}

private func checkChannel(_ name: String) {
    for limit in [1, 164, 200] {
        guard let channel = ChannelName(name, limit: limit) else { continue }
        require(channel.text == name, "a channel is called what it was called")
        let isUsers = name.utf8.first == UInt8(ascii: "#")
        require(
            isUsers ? channel.kind == .user : name.utf8.count <= limit && channel.kind != .user, "a name keeps its limit")
        require(channel.kind != .watchers, "no name from outside is the broker's own channel's")
        require(
            name.utf8.dropFirst(isUsers ? 1 : 0).allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || "_-=@,.;".utf8.contains($0)
            }, "a name keeps to its alphabet")
        require(
            (channel.kind == .presence) == name.utf8.starts(with: "presence-".utf8), "a presence channel has its prefix")
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let text = String(validating: input(start, count), as: UTF8.self) else { return 0 }
    let lines = text.split(separator: "\n", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    let target = lines[0].split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    if let key = ConnectionAdmission.key(inPath: target[0]) {
        require("/app/\(key)".utf8.elementsEqual(target[0].utf8) && !key.isEmpty, "a key is what follows /app/")
        require(!key.utf8.contains(UInt8(ascii: "/")), "a key is one part of a path")
    }
    let query = target.count > 1 ? QueryParameters(target[1]) : QueryParameters("")
    do throws(ProtocolError) {
        try ConnectionAdmission.checkVersion(query)
        let version = query?["protocol"]
        require(version == nil || ["5", "6", "7"].contains { version?.hasSuffix($0) == true }, "three versions are served")
    } catch {
        require(error.code.map { (4000...4099).contains($0) } == true, "a client of another version does not come back")
    }
    checkOrigin(lines.count > 1 ? lines[1] : "")
    checkChannel(lines.count > 2 ? lines[2] : lines[0])
    return 0
}
