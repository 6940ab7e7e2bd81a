import NIOHTTP1
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct DescriptionTests {
    @Test("HTTP-15: /openapi.json has every route, and no route that is not there")
    func routes() async throws {
        try await TicketHarness.run { api in
            let reply = try await api.call(.GET, "/openapi.json")
            #expect(reply.status == 200 && reply.json["openapi"].string == "3.1.0")
            let paths = reply.json["paths"]
            let described = paths.keys.flatMap { path in
                paths[path].keys.subtracting(["parameters"]).map { "\($0.uppercased()) \(Self.normal(path))" }
            }
            #expect(Set(described) == Set(api.routes))
            #expect(described.count == api.routes.count)
        }
    }

    /// The file names its ids by what they are of; the table calls each of them `id`.
    private static func normal(_ path: String) -> String {
        path.split(separator: "/").map { $0.hasPrefix("{") ? "/{id}" : "/\($0)" }.joined()
    }
}
