internal import APIDescription
internal import Hummingbird
internal import NIOCore
internal import NIOPosix
internal import PusherPublisher

/// `/openapi.json`: this API, for tools that read OpenAPI.
struct DescriptionEndpoint: Sendable {
    /// Made when it is first asked for.
    private static let document = Result { ByteBuffer(bytes: try APIDescription.json().bytes) }

    func show(_ call: Call) async throws -> Response {
        let document = try await NIOThreadPool.singleton.runIfActive { try Self.document.get() }
        return .json(.ok, bytes: document.readableBytesView)
    }
}
