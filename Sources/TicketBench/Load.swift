import Foundation
import Synchronization

/// Threads that send requests, each over a connection of its own.
enum Load {
    /// Runs `body` for each index on a thread of its own and waits for all. Throws the first error.
    static func each<T: Sendable>(_ count: Int, _ body: @escaping @Sendable (Int) throws -> T) throws -> [T] {
        let done = DispatchSemaphore(value: 0)
        let results = Results<T>()
        for index in 0..<count {
            Thread.detachNewThread {
                let result = Result { try body(index) }
                results.values.withLock { $0[index] = result }
                done.signal()
            }
        }
        for _ in 0..<count { done.wait() }
        return try results.values.withLock { values in try (0..<count).compactMap { try values[$0]?.get() } }
    }

    private final class Results<T: Sendable>: Sendable {
        let values = Mutex<[Int: Result<T, any Error>]>([:])
    }

    /// Closed loop: each poster posts as soon as the last message was answered. The times to the answers in ns.
    static func closed(_ posters: [Poster], seconds: Double) throws -> [Int64] {
        let end = Clock.now + Int64(seconds * 1e9)
        return try self.each(posters.count) { index in
            var times: [Int64] = []
            while true {
                let start = Clock.now
                guard start < end else { return times }
                try posters[index].post(from: start)
                times.append(Clock.now - start)
            }
        }.flatMap { $0 }
    }

    /// Open loop: messages at fixed moments, `rate` a second in all, whether or not the server keeps up. One that is late
    /// because its forerunner was is measured from the moment at which it was due (no coordinated omission).
    static func open(_ posters: [Poster], rate: Double, seconds: Double) throws -> [Int64] {
        let start = Clock.now + 10_000_000
        let interval = Double(posters.count) / rate * 1e9
        let count = Int(seconds * 1e9 / interval)
        return try self.each(posters.count) { index in
            var times: [Int64] = []
            let first = Double(index) / Double(posters.count) * interval
            for number in 0..<count {
                let due = start + Int64(first + Double(number) * interval)
                if due > Clock.now { Clock.sleep(until: due) }
                try posters[index].post(from: due)
                times.append(Clock.now - due)
            }
            return times
        }.flatMap { $0 }
    }

    /// Closed loop of the same request on each connection. How many were answered with `expected`.
    static func closed(_ connections: [Repeater], seconds: Double) throws -> Int {
        let end = Clock.now + Int64(seconds * 1e9)
        return try self.each(connections.count) { index in
            var count = 0
            while Clock.now < end {
                try connections[index].send()
                count += 1
            }
            return count
        }.reduce(0, +)
    }
}

/// The same request again and again. Used by one thread at a time.
final class Repeater: @unchecked Sendable {
    private let client: HTTPClient
    private let request: [UInt8]
    private let expected: Int

    init(port: Int, request: [UInt8], expected: Int) throws {
        self.client = try HTTPClient(port: port)
        (self.request, self.expected) = (request, expected)
    }

    func send() throws {
        let status = try self.client.status(self.request)
        guard status == self.expected else { throw Failure("status \(status) where \(self.expected) was expected") }
    }

    func close() {
        self.client.socket.close()
    }
}
