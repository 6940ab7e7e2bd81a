import Foundation
import NIOHTTP1
import Testing

/// No test: prints how long a connection lives after its token, when asked to by `SWITCHBOARD_MEASURE=1`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["SWITCHBOARD_MEASURE"] == "1"))
struct RevocationLatency {
    @Test("From a logout to the close of its connection", arguments: [0, 4])
    func logout(writers: Int) async throws {
        try await LiveBroker.run { api, broker in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            let writer = Writer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<writers {
                    group.addTask { try await writer.run(api, ticket: ticket, as: ada) }
                }
                let start = ContinuousClock.now
                var (fromRequest, fromAnswer): ([Duration], [Duration]) = ([], [])
                for _ in 0..<300 {
                    let reply = try await api.call(
                        .POST, "/login", json: #"{"email":"\#(ada.email)","password":"long enough"}"#)
                    let token = try #require(reply.json["token"].string)
                    let socket = try await broker.socket()
                    try await socket.join("private-chat.\(ticket)", api, token: token)
                    let asked = ContinuousClock.now
                    _ = try await api.call(.POST, "/logout", token: token)
                    let answered = ContinuousClock.now
                    #expect(await socket.waitForClose() == 4009)
                    let closed = try #require(await socket.closedAt)
                    fromRequest.append(closed - asked)
                    fromAnswer.append(closed - answered)
                }
                writer.stop()
                let rate = Double(writer.posted) / ((ContinuousClock.now - start) / .seconds(1))
                print("\(writers) writers, \(Int(rate)) messages/s")
                print("  request to close: \(Self.percentiles(fromRequest))")
                print("  answer to close:  \(Self.percentiles(fromAnswer))")
                try await group.waitForAll()
            }
        }
    }

    private static func percentiles(_ times: [Duration]) -> String {
        let sorted = times.sorted()
        let shown = [("p50", sorted.count / 2), ("p99", sorted.count * 99 / 100), ("max", sorted.count - 1)]
        return shown.map { name, index in
            let milliseconds = (sorted[index] / .microseconds(1)) / 1000
            return "\(name) \((milliseconds * 10).rounded() / 10) ms"
        }.joined(separator: ", ")
    }
}
