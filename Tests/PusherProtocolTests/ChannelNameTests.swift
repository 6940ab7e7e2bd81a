import PusherProtocol
import Support
import Testing

/// `protocol-spec/vectors/channel-names.json`.
private struct ChannelNameVectors: Decodable {
    struct Accepted: Decodable, CustomTestStringConvertible {
        let name: String
        let kind: String

        var testDescription: String { "\(self.kind): \(self.name)" }
    }

    let limit: Int
    let accepted: [Accepted]
    let refused: [String]

    static func load() throws -> ChannelNameVectors { try Vectors.load("channel-names") }
}

@Suite struct ChannelNameTests {
    @Test(
        "P41, P42, P48: a name is public unless a whole prefix says otherwise",
        arguments: try ChannelNameVectors.load().accepted)
    private func accepts(_ vector: ChannelNameVectors.Accepted) throws {
        let name = try #require(ChannelName(vector.name, limit: try ChannelNameVectors.load().limit))
        #expect(name.text == vector.name)
        #expect("\(name.kind)" == vector.kind)
    }

    @Test(
        "P41, P42, P44: names outside the alphabet, too long or with a foreign # are refused",
        arguments: try ChannelNameVectors.load().refused)
    func refuses(_ text: String) throws {
        #expect(ChannelName(text, limit: try ChannelNameVectors.load().limit) == nil)
    }

    @Test("P42: the default limit is 164, and 200 can be configured")
    func limit() {
        #expect(Limits().channelName == 164)
        #expect(ChannelName(String(repeating: "a", count: 200), limit: 200) != nil)
        #expect(ChannelName(String(repeating: "a", count: 201), limit: 200) == nil)
    }

    @Test("P43: names differing in case are different channels")
    func caseMatters() throws {
        #expect(ChannelName("orders", limit: 164) != ChannelName("Orders", limit: 164))
        #expect(Set(["orders", "ORDERS", "orders"].compactMap { ChannelName($0, limit: 164) }).count == 2)
    }

    @Test("P41: of all single bytes exactly the 69 of the alphabet make a name")
    func alphabet() {
        let accepted = (0..<128 as Range<UInt8>).filter {
            ChannelName(String(decoding: [$0], as: UTF8.self), limit: 164) != nil
        }
        #expect(accepted.count == 26 + 26 + 10 + 7)
    }
}
