import Foundation
import PusherProtocol
import Synchronization
import Testing
import Webhooks

/// What a test's nameserver says. Like the real lookup it blocks its thread.
private final class Nameserver: Sendable {
    private let asked = Mutex<[String]>([])
    private let answers: [String: [String]]
    private let silence = DispatchSemaphore(value: 0)

    /// - Parameter answers: the addresses of each name; none for one whose lookup hangs.
    init(_ answers: [String: [String]]) {
        self.answers = answers
    }

    /// The names that were asked for, in order.
    var questions: [String] { self.asked.withLock { $0 } }

    /// Lets the lookups that hang find 127.0.0.1, those that follow included.
    func speak() { self.silence.signal() }

    func addresses(of host: String) throws(LookupFailure) -> [String] {
        self.asked.withLock { $0.append(host) }
        guard let addresses = self.answers[host] else { throw LookupFailure(cause: "host name not found") }
        if !addresses.isEmpty { return addresses }
        self.silence.wait()
        self.silence.signal()
        return ["127.0.0.1"]
    }
}

@Suite("Looking up endpoints", .timeLimit(.minutes(1)))
struct LookupTests {
    private func configuration(_ nameserver: Nameserver) -> WebhookConfiguration {
        var configuration = WebhookConfiguration.quick
        configuration.retryTime = .seconds(30)
        configuration.lookUp = { host throws(LookupFailure) in try nameserver.addresses(of: host) }
        return configuration
    }

    private func endpoint(_ host: String, _ receiver: Receiver) throws -> WebhookEndpoint {
        try WebhookEndpoint(url: "http://\(host):\(receiver.port)/hooks")
    }

    private func occupied(_ count: Int) throws -> [WebhookEvent] {
        try (0..<count).map { .channelOccupied(try channel("c\($0)")) }
    }

    @Test("WH-7, WH-38: lookups that hang delay no other endpoint, and attempts join the one of their endpoint")
    func hanging() async throws {
        let nameserver = Nameserver(["a.test": [], "b.test": [], "c.test": [], "good.test": ["127.0.0.1"]])
        let receiver = try await Receiver()
        let hosts = ["a.test", "b.test", "c.test", "good.test"]
        var configuration = self.configuration(nameserver)
        configuration.answerTime = .seconds(2)
        configuration.retryTime = .zero
        _ = try await running(try hosts.map { try self.endpoint($0, receiver) }, configuration) { running in
            running.put(try self.occupied(2))
            for request in await receiver.requests(2) {
                #expect(request.values("Host") == ["good.test:\(receiver.port)"])
            }
            // Two for each: both events had their attempt.
            for letter in try await running.letters(6) {
                #expect(letter.failure == "the host name was not looked up in time")
                #expect(!letter.url.contains("good"))
            }
            #expect(nameserver.questions.sorted() == hosts)
            nameserver.speak()
        }
    }

    @Test("WH-38: what a lookup finds after its attempt is for the next one")
    func late() async throws {
        let nameserver = Nameserver(["a.test": []])
        let receiver = try await Receiver()
        var configuration = self.configuration(nameserver)
        configuration.answerTime = .seconds(2)
        _ = try await running([try self.endpoint("a.test", receiver)], configuration) { running in
            running.put(try self.occupied(1))
            #expect(try await running.logged("cause=").contains("the host name was not looked up in time"))
            nameserver.speak()
            _ = await receiver.requests(1)
        }
        #expect(nameserver.questions == ["a.test"])
    }

    @Test("WH-5, WH-38: a name that is not found is a failed attempt, and is looked up again for the next")
    func notFound() async throws {
        let nameserver = Nameserver([:])
        let receiver = try await Receiver()
        let endpoints = [try self.endpoint("a.test", receiver)]
        let ran = try await running(endpoints, self.configuration(nameserver)) { running in
            running.put(try self.occupied(1))
            while nameserver.questions.count < 3 { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(try #require(try await ran.box.list().first).failure == "host name not found")
        #expect(receiver.requests.isEmpty)
    }

    @Test("WH-38: so many lookups at a time, and no more")
    func bound() async throws {
        let nameserver = Nameserver(["a.test": [], "b.test": []])
        let receiver = try await Receiver()
        var configuration = self.configuration(nameserver)
        configuration.maxLookups = 1
        let endpoints = [try self.endpoint("a.test", receiver), try self.endpoint("b.test", receiver)]
        _ = try await running(endpoints, configuration) { running in
            running.put(try self.occupied(1))
            #expect(try await running.logged("cause=").contains("too many host names are being looked up"))
            #expect(nameserver.questions.count == 1)
            nameserver.speak()
            _ = await receiver.requests(2)
        }
    }

    @Test("WH-38: where nobody listens the next address is tried at once; the one that answers is kept, connected")
    func refusals() async throws {
        let nameserver = Nameserver(["a.test": ["127.0.0.2", "::1", "127.0.0.1"]])
        let receiver = try await Receiver { _, count in .status(count == 1 ? 500 : 200) }
        let endpoints = [try self.endpoint("a.test", receiver)]
        let ran = try await running(endpoints, self.configuration(nameserver)) { running in
            running.put(try self.occupied(3))
            _ = await receiver.requests(4)
        }
        #expect(nameserver.questions == ["a.test"])
        #expect(ran.log.lines.filter { $0.contains("cause=") }.map { $0.contains("status 500") } == [true])
    }

    @Test("WH-38: after an attempt without an answer the next one is made at the next address")
    func nextAddress() async throws {
        let nameserver = Nameserver(["a.test": ["127.0.0.1", "127.0.0.2"]])
        let bad = try await Receiver { _, _ in .close }
        let good = try await Receiver(host: "127.0.0.2", port: bad.port)
        _ = try await running([try self.endpoint("a.test", bad)], self.configuration(nameserver)) { running in
            running.put(try self.occupied(2))
            _ = await good.requests(2)
        }
        #expect(bad.requests.count == 1)
        #expect(nameserver.questions.count == 2)
    }

    @Test("WH-38: a new connection is a new lookup")
    func newConnection() async throws {
        let nameserver = Nameserver(["a.test": ["127.0.0.1"]])
        let receiver = try await Receiver { _, count in count == 0 ? .close : .status(200) }
        _ = try await running([try self.endpoint("a.test", receiver)], self.configuration(nameserver)) { running in
            running.put(try self.occupied(1))
            _ = await receiver.requests(2)
        }
        #expect(nameserver.questions.count == 2)
    }

    @Test("WH-38: an address needs no lookup")
    func literal() async throws {
        let nameserver = Nameserver([:])
        let receiver = try await Receiver()
        _ = try await running([try self.endpoint("127.0.0.1", receiver)], self.configuration(nameserver)) { running in
            running.put(try self.occupied(1))
            _ = await receiver.requests(1)
        }
        #expect(nameserver.questions.isEmpty)
    }

    @Test("WH-38: the system's own lookup")
    func system() throws {
        let lookUp = WebhookConfiguration().lookUp
        #expect(try lookUp("127.0.0.1") == ["127.0.0.1"])
        #expect(try lookUp("::1") == ["::1"])
        #expect(try lookUp("localhost").contains { $0 == "127.0.0.1" || $0 == "::1" })
        #expect(throws: LookupFailure.self) { try lookUp(String(repeating: "a", count: 300)) }
        #expect(WebhookConfiguration().maxLookups == 64)
    }
}
