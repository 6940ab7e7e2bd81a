import Glibc

/// What can be said about a listening address before anything else is done.
enum ListenCheck {
    /// Throws when nobody could listen there now. Tried early so that a port in use leaves no trace on the disk; the
    /// listener itself, bound later, has the last word.
    static func refuseTaken(
        _ host: String, _ port: Int, settings: (host: SettingRow, port: SettingRow)
    ) throws(StartFailure) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, String(port), &hints, &list)
        guard result == 0, let address = list else {
            throw .unavailable(
                "cannot listen on \(host) (\(settings.host.name)): \(String(cString: gai_strerror(result)))")
        }
        defer { freeaddrinfo(list) }

        let descriptor = socket(
            address.pointee.ai_family, address.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .unavailable("cannot listen on \(host): \(lastSystemError())") }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
            throw .unavailable(
                "cannot listen on \(host) (\(settings.host.name)), port \(port) (\(settings.port.name)): "
                    + lastSystemError())
        }
    }

    /// Whether only this machine reaches what listens there.
    static func isLoopback(_ host: String) -> Bool {
        if host.lowercased() == "localhost" { return true }
        var address = in_addr()
        if inet_pton(AF_INET, host, &address) == 1 { return UInt32(bigEndian: address.s_addr) >> 24 == 127 }
        var address6 = in6_addr()
        guard inet_pton(AF_INET6, host, &address6) == 1 else { return false }
        return withUnsafeBytes(of: address6) { $0.dropLast().allSatisfy { $0 == 0 } && $0.last == 1 }
    }
}
