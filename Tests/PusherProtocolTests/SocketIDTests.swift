import PusherProtocol
import Testing

@Suite struct SocketIDTests {
    @Test("P3: a socket id is two decimal numbers joined by a dot")
    func description() {
        #expect("\(SocketID(first: 81723, second: 4_410_982))" == "81723.4410982")
        #expect("\(SocketID(first: .max, second: 0))" == "4294967295.0")
    }

    @Test(
        "P128: what a broker could have issued is known again",
        arguments: ["81723.4410982", "0.0", "4294967295.4294967295"])
    func known(_ text: String) throws {
        guard case .known(let socketID) = SocketID.Reference(text) else {
            Issue.record("not known")
            return
        }
        #expect("\(socketID)" == text)
    }

    @Test(
        "P128: a well-formed id that is not one of ours excludes nobody",
        arguments: ["4294967296.1", "1.4294967296", "01.1", "1.00", "99999999999999999999999999.1"])
    func foreign(_ text: String) {
        #expect(SocketID.Reference(text) == .foreign)
    }

    @Test(
        "P128: a malformed id is refused",
        arguments: [
            "", ".", "1", "1.", ".1", "1.1.1", "1,1", "-1.1", "+1.1", "1.1 ", " 1.1", "a.1", "1.1\n", "١.١", "1.１",
            "0x1.1",
        ])
    func malformed(_ text: String) {
        #expect(SocketID.Reference(text) == nil)
    }
}
