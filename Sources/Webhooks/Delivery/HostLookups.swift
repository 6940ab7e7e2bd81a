internal import Foundation
internal import Glibc
internal import Synchronization

/// Why a host name has led to no address, in a few words for the log.
package struct LookupFailure: Error, Equatable {
    package let cause: String

    package init(cause: String) {
        self.cause = cause
    }
}

/// Finds the addresses of a host name, as text and the best first. Blocks its thread for as long as it takes.
package typealias HostLookup = @Sendable (_ host: String) throws(LookupFailure) -> [String]

/// Runs lookups, each on a thread of its own. NIO has one queue of them for each event loop, in which one that hangs
/// stops the others, and keeps its place when nobody waits for it any more.
final class HostLookups: Sendable {
    typealias Answer = Result<[String], LookupFailure>

    private let lookUp: HostLookup
    private let limit: Int
    private let running = Mutex(0)

    init(_ configuration: WebhookConfiguration) {
        self.lookUp = configuration.lookUp
        self.limit = configuration.maxLookups
    }

    /// Calls `finish` on that thread; at once, with a failure, when there are too many.
    func start(_ host: String, finish: @escaping @Sendable (Answer) -> Void) {
        let isFree = self.running.withLock { running in
            guard running < self.limit else { return false }
            running += 1
            return true
        }
        guard isFree else {
            return finish(.failure(LookupFailure(cause: "too many host names are being looked up")))
        }
        Thread.detachNewThread {
            let answer = Result { () throws(LookupFailure) in try self.lookUp(host) }
            self.running.withLock { $0 -= 1 }
            finish(answer)
        }
    }
}

/// The system's own lookup: `/etc/hosts`, the nameservers, and what else the machine is set up to ask.
enum SystemLookup {
    static func addresses(of host: String) throws(LookupFailure) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        guard code == 0, let first = list else {
            throw LookupFailure(cause: code == EAI_NONAME ? "host name not found" : String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(first) }
        return sequence(first: first, next: \.pointee.ai_next).compactMap { Self.text(of: $0.pointee) }
    }

    private static func text(of entry: addrinfo) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(
            entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        return code == 0 ? text.withUnsafeBufferPointer { $0.baseAddress.map(String.init(cString:)) } : nil
    }
}
