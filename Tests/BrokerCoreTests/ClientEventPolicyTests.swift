import BrokerCore
import PusherProtocol
import Testing

@Suite struct ClientEventPolicyTests {
    private func application(allowsClientEvents: Bool = true) -> Application {
        var features = Application.Features()
        features.clientEvents = allowsClientEvents
        return Application(
            credentials: AppCredentials(id: "1", key: "k", secret: AppSecret("s")), features: features)
    }

    private func check(
        channel: String = "private-ops", name: String = "client-a", dataCount: Int = 1, isSubscribed: Bool = true,
        allowsClientEvents: Bool = true
    ) throws -> ChannelName {
        let text = #"{"event":"client-a","channel":"a","data":""}"#
        let frame = try Array(text.utf8).withUnsafeBytes { try ClientFrame(decoding: $0) }
        guard case .clientEvent(var event) = frame else { throw ProtocolError.notAFrame }
        event.name = name
        event.channel = channel
        event.dataCount = dataCount
        return try ClientEventPolicy.check(
            event, isSubscribed: isSubscribed, application: self.application(allowsClientEvents: allowsClientEvents))
    }

    @Test(
        "P83, P84, P94: private, encrypted and presence channels carry client events",
        arguments: ["private-ops", "private-encrypted-ops", "private-cache-ops", "presence-ops", "presence-cache-ops"])
    func allows(_ channel: String) throws {
        #expect(try self.check(channel: channel).text == channel)
    }

    @Test(
        "P86: public and user channels do not", arguments: ["orders", "privateer", "cache-orders", "#server-to-user-a"])
    func wrongChannel(_ channel: String) {
        #expect(throws: ProtocolError.clientEventWrongChannel) { try self.check(channel: channel) }
    }

    @Test("P41: nor does what is no channel's name", arguments: ["", "private-a b", "private-\u{212A}"])
    func invalidName(_ channel: String) {
        #expect(throws: ProtocolError.invalidChannelName(channel)) { try self.check(channel: channel) }
    }

    @Test("P87: whoever has not joined the channel may not speak there")
    func notSubscribed() {
        let error = #expect(throws: ProtocolError.self) { try self.check(isSubscribed: false) }
        #expect(error == .clientEventNotSubscribed("private-ops"))
        #expect(error?.code == nil)
    }

    @Test("P89: an app without client events refuses all of them")
    func disabled() {
        #expect(throws: ProtocolError.clientEventsDisabled) { try self.check(allowsClientEvents: false) }
    }

    @Test("P95: 10240 bytes of data are accepted, 10241 are refused with 4301")
    func dataSize() throws {
        #expect(try self.check(dataCount: 10_240).text == "private-ops")
        let error = #expect(throws: ProtocolError.self) { try self.check(dataCount: 10_241) }
        #expect(error?.code == 4301)
    }

    @Test(
        "P131: a name of 200 characters is accepted, one of 201 is refused with 4301",
        arguments: ["a", "é", "e\u{301}"])
    func nameLength(_ character: String) throws {
        func name(_ count: Int) -> String {
            let scalars = String(repeating: character, count: count).unicodeScalars.prefix(count - 7)
            return "client-" + String(scalars)
        }
        #expect(try self.check(name: name(200)).text == "private-ops")
        let error = #expect(throws: ProtocolError.self) { try self.check(name: name(201)) }
        #expect(error?.code == 4301)
    }
}

@Suite struct RateWindowTests {
    private let second: UInt64 = 1_000_000_000

    @Test("P90: ten events pass, the eleventh within a second does not, and after the second they pass again")
    func tenASecond() {
        var window = RateWindow()
        let start = 5 * self.second
        for index in 0..<10 as Range<UInt64> { #expect(window.allows(10, now: start + index) == true) }
        #expect(window.allows(10, now: start + 10) == false)
        #expect(window.allows(10, now: start + self.second - 1) == false)
        for index in 0..<10 as Range<UInt64> { #expect(window.allows(10, now: start + self.second + index) == true) }
        #expect(window.allows(10, now: start + self.second + 10) == false)
    }

    @Test("P90: refused events do not prolong the wait")
    func refusedEventsDoNotCount() {
        var window = RateWindow()
        #expect(window.allows(1, now: 0) == true)
        for now in stride(from: 1, to: self.second, by: 50_000_000) { #expect(window.allows(1, now: now) == false) }
        #expect(window.allows(1, now: self.second) == true)
    }

    @Test("P90: the second begins with the first event, not with the clock's")
    func beginsWithTheFirstEvent() {
        var window = RateWindow()
        #expect(window.allows(1, now: 900_000_000) == true)
        #expect(window.allows(1, now: 1_100_000_000) == false)
        #expect(window.allows(1, now: 1_900_000_000) == true)
    }

    @Test("P90: no second has more than the limit, wherever it begins")
    func anySecond() {
        var window = RateWindow()
        let tenth = self.second / 10
        #expect(window.allows(10, now: 0) == true)
        for _ in 0..<9 { #expect(window.allows(10, now: 9 * tenth) == true) }
        // The first one is a second old now, the other nine are not.
        #expect(window.allows(10, now: 10 * tenth) == true)
        for _ in 0..<9 { #expect(window.allows(10, now: 10 * tenth) == false) }
        #expect(window.allows(10, now: 19 * tenth) == true)
    }

    @Test("P90: a limit of nothing lets nothing pass")
    func zero() {
        var window = RateWindow()
        #expect(window.allows(0, now: 0) == false)
        #expect(window.allows(0, now: 10 * self.second) == false)
    }
}
