import NIOCore
import NIOPosix

/// Bytes on a connection, for requests that no client would send.
enum RawRequest {
    /// Sends `text`, and `rest` after `pause`; returns what came back by the time one answer with a Content-Length was
    /// complete.
    static func send(
        _ text: String, port: Int, then rest: String = "", after pause: () async throws -> Void = {}
    ) async throws -> String {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            try await pause()
            if !rest.isEmpty { try await outbound.write(ByteBuffer(string: rest)) }
            var answer = ""
            for try await part in inbound {
                answer += String(buffer: part)
                if self.isComplete(answer) { break }
            }
            return answer
        }
    }

    private static func isComplete(_ answer: String) -> Bool {
        guard let end = answer.firstRange(of: "\r\n\r\n"),
            let field = answer.firstMatch(of: /(?i)content-length: (\d+)/), let length = Int(field.1)
        else { return false }
        return answer[end.upperBound...].utf8.count >= length
    }
}
