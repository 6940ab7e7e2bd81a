package import NIOCore
internal import NIOPosix
package import PusherProtocol

/// One client of a Pusher-compatible server: the convenient way, with events as a sequence.
package final class PusherClient: Sendable {
    /// What the server says, pings left out; ends after `close`, and throws a `PusherClientFailure` when the connection
    /// ends otherwise. For one iterator. While it is not read, at most a few events wait, then the socket is not read.
    package typealias Events = NIOThrowingAsyncSequenceProducer<
        ServerEvent, any Error, NIOAsyncSequenceProducerBackPressureStrategies.HighLowWatermark, EventReader
    >

    package let events: Events
    package let socketID: String
    /// How long the server lets a client be silent, in seconds; nil when it did not say. Pings are sent in time.
    package let activityTimeout: Int?
    private let connection: NIOLoopBound<PusherConnection>

    private init(events: Events, connection: NIOLoopBound<PusherConnection>, established: EventFeed.Established) {
        self.events = events
        self.connection = connection
        self.socketID = established.socketID
        self.activityTimeout = established.activityTimeout
    }

    /// Connects and waits for `pusher:connection_established`.
    package static func connect(to endpoint: PusherEndpoint) async throws(PusherClientFailure) -> PusherClient {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let reader = EventReader(loop: loop)
        let new = Events.makeSequence(
            elementType: ServerEvent.self, failureType: (any Error).self,
            backPressureStrategy: .init(lowWatermark: 10, highWatermark: 100), finishOnDeinit: true, delegate: reader)
        let established = loop.makePromise(of: EventFeed.Established.self)
        loop.execute {
            let feed = EventFeed(source: new.source, established: established)
            reader.start(PusherConnection.open(endpoint, on: ClientLoop(loop), delegate: feed))
        }
        do {
            return PusherClient(
                events: new.sequence, connection: try await reader.connection.get(),
                established: try await established.futureResult.get())
        } catch let failure as PusherClientFailure {
            throw failure
        } catch {
            throw PusherClientFailure(error, at: .connecting)
        }
    }

    /// Sends one message; nothing when the connection has ended.
    package func send(_ frame: ClientFrame) {
        self.connection.eventLoop.execute { self.connection.value.send(frame) }
    }

    /// Asks to subscribe, signing for this connection what needs a signature. The answer is an event.
    ///
    /// - Parameter channelData: who joins a presence channel; JSON.
    package func subscribe(to channel: String, credentials: AppCredentials, channelData: String? = nil) {
        self.connection.eventLoop.execute {
            self.connection.value.subscribe(to: channel, credentials: credentials, channelData: channelData)
        }
    }

    /// Says goodbye and closes; the events end.
    package func close() {
        self.connection.eventLoop.execute { self.connection.value.close() }
    }
}

/// Stops and resumes reading as events are taken.
package final class EventReader: NIOAsyncSequenceProducerDelegate {
    private let loop: any EventLoop
    private let promise: EventLoopPromise<NIOLoopBound<PusherConnection>>

    init(loop: any EventLoop) {
        self.loop = loop
        self.promise = loop.makePromise()
    }

    var connection: EventLoopFuture<NIOLoopBound<PusherConnection>> { self.promise.futureResult }

    /// Called once, on the loop.
    func start(_ connection: PusherConnection) {
        self.promise.succeed(NIOLoopBound(connection, eventLoop: self.loop))
    }

    package func produceMore() {
        self.connection.whenSuccess { $0.value.setReading(true) }
    }

    package func didTerminate() {
        self.connection.whenSuccess { $0.value.close() }
    }
}

/// Gives events to the sequence.
private final class EventFeed: PusherConnectionDelegate {
    struct Established: Sendable {
        let socketID: String
        let activityTimeout: Int?
    }

    private let source: PusherClient.Events.Source
    private let established: EventLoopPromise<Established>

    init(source: PusherClient.Events.Source, established: EventLoopPromise<Established>) {
        self.source = source
        self.established = established
    }

    func established(_ connection: PusherConnection) {
        self.established.succeed(
            Established(socketID: connection.socketID, activityTimeout: connection.activityTimeout))
    }

    func takes(_ message: UnsafeRawBufferPointer, on connection: PusherConnection) -> Bool { false }

    func received(_ event: ServerEvent, on connection: PusherConnection) {
        switch self.source.yield(event) {
        case .produceMore, .dropped: break
        case .stopProducing: connection.setReading(false)
        }
    }

    func receivedNonsense(_ message: UnsafeRawBufferPointer, on connection: PusherConnection) {
        self.source.finish(PusherClientFailure.notPusher(String(decoding: message.prefix(200), as: UTF8.self)))
        connection.close()
    }

    func ended(_ connection: PusherConnection, because failure: PusherClientFailure?) {
        // Has been succeeded, as a rule.
        self.established.fail(failure ?? PusherClientFailure.cut(.connecting, errno: 0))
        if let failure { self.source.finish(failure) } else { self.source.finish() }
    }
}
