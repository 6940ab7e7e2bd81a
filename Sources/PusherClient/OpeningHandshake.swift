internal import Digests
internal import NIOCore
internal import Wire

/// The client's side of the upgrade to a WebSocket (RFC 6455 section 4.1): collects the answer and judges it.
struct OpeningHandshake {
    enum Progress {
        case incomplete
        /// Not upgraded; the rest of the answer is on its way.
        case refused
        /// Upgraded; what came behind the head.
        case accepted(rest: ByteBuffer)
        case failed(PusherClientFailure)
    }

    /// The most of a refusal's body that is kept.
    private static let maxBody = 2048

    let nonce: String
    private var received = ByteBuffer()
    private var searched = 0
    /// A refusal whose body may still grow.
    private var refusal: (status: Int, head: String, length: Int?)?

    init() throws(RandomBytes.Unavailable) {
        self.nonce = Base64.encode(try RandomBytes.make(16))
    }

    /// Takes what came.
    mutating func receive(_ buffer: ByteBuffer) -> Progress {
        self.received.writeImmutableBuffer(buffer)
        if self.refusal != nil { return self.checkBody() }
        guard self.received.withUnsafeReadableBytes({ HTTPResponseHead.canBegin(with: $0) }) else {
            return .failed(.notHTTP(self.text(200)))
        }
        let length: Int?
        do {
            length = try self.received.withUnsafeReadableBytes {
                try HTTPRequestHead.length(in: $0, searched: self.searched)
            }
        } catch {
            return .failed(.notHTTP(self.text(200)))
        }
        self.searched = self.received.readableBytes
        guard let head = length else { return .incomplete }
        let start = self.text(head)
        let response = self.received.withUnsafeReadableBytes { HTTPResponseHead(parsing: .init(rebasing: $0[..<head])) }
        guard let response else { return .failed(.notHTTP(start)) }
        self.received.moveReaderIndex(forwardBy: head)
        guard response.status == 101 else {
            self.refusal = (response.status, start, response["content-length"].flatMap { Int($0) })
            return self.checkBody()
        }
        if let fault = self.fault(in: response) { return .failed(.malformedUpgrade(fault)) }
        return .accepted(rest: self.received)
    }

    /// The peer has closed, or has had enough time: a refusal is as long as it is.
    func end() -> PusherClientFailure? {
        if let refusal {
            return .upgradeRefused(.init(status: refusal.status, head: refusal.head, body: self.text(Self.maxBody)))
        }
        return self.received.readableBytes > 0 ? .notHTTP(self.text(200)) : nil
    }

    private func checkBody() -> Progress {
        let wanted = min(self.refusal?.length ?? Self.maxBody, Self.maxBody)
        guard self.received.readableBytes >= wanted, let failure = self.end() else { return .refused }
        return .failed(failure)
    }

    /// What a 101 lacks (section 4.1, the client's six checks); nil when it is right. No extension and no subprotocol
    /// is asked for, so none may come.
    private func fault(in response: HTTPResponseHead) -> String? {
        guard response["upgrade"]?.lowercased() == "websocket" else { return "Upgrade is not websocket" }
        let connection = response["connection"]?.lowercased().split(separator: ",") ?? []
        guard connection.contains(where: { $0.trimmed == "upgrade" }) else { return "Connection is not Upgrade" }
        guard response["sec-websocket-accept"] == SHA1.webSocketAccept(self.nonce) else {
            return "Sec-WebSocket-Accept does not fit the key"
        }
        guard response["sec-websocket-extensions"] == nil else { return "an extension that was not asked for" }
        guard response["sec-websocket-protocol"] == nil else { return "a subprotocol that was not asked for" }
        return nil
    }

    private func text(_ count: Int) -> String {
        String(decoding: self.received.readableBytesView.prefix(count), as: UTF8.self)
    }
}

extension Substring {
    fileprivate var trimmed: Substring { self.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" } }
}
