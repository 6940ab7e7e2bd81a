import BrokerCore
import NIOCore
import PusherProtocol
import Wire

/// A connection that has become a Pusher client. Owned by its connection.
final class PusherSession {
    let socketID: SocketID
    private(set) var app: ServedApp
    private var decoder: WebSocketDecoder
    private var subscriptions: [Subscription] = []
    private var keepAlive: KeepAlive
    private var clientEvents = RateWindow()

    init(app: ServedApp, maxMessageBytes: Int, now: UInt64) {
        self.app = app
        // 64 random bits: never met twice, and not to be guessed by whoever wants a signature for it.
        self.socketID = SocketID(first: .random(in: 1...UInt32.max), second: .random(in: 1...UInt32.max))
        self.decoder = WebSocketDecoder(maxMessageBytes: maxMessageBytes)
        self.keepAlive = KeepAlive(now: now)
    }

    /// The first frame, and the first deadline.
    func begin(connection: Connection) {
        let timing = connection.loop.configuration.keepAlive
        connection.reply(
            ServerFrame.connectionEstablished(socketID: self.socketID, activityTimeout: timing.activityTimeout))
        if let next = self.checkAlive(now: connection.loop.now, connection: connection) {
            connection.loop.wheel.schedule(connection, at: next)
        }
    }

    /// The app's settings have been replaced; what has been subscribed to stays.
    func settingsChanged(to app: ServedApp) {
        self.app = app
    }

    /// The connection is over: leaves every channel.
    func end(connection: Connection) {
        let subscriptions = self.subscriptions
        self.subscriptions = []
        for subscription in subscriptions { self.leave(subscription, connection: connection) }
        self.app.hub.releaseConnection()
        connection.loop.quota.release()
    }

    // MARK: Liveness

    /// Pings a silent client or gives it up; returns when to look again.
    func checkAlive(now: UInt64, connection: Connection) -> UInt64? {
        switch self.keepAlive.check(at: now, timing: connection.loop.configuration.keepAlive) {
        case .wait(let instant): return instant
        case .ping(let instant):
            connection.sendFrame(.text, ServerFrame.ping)
            return instant
        case .close:
            connection.close(with: .pongMissing)
            return nil
        }
    }

    // MARK: Messages

    func receive(_ bytes: UnsafeRawBufferPointer, connection: Connection) {
        self.keepAlive.heard(at: connection.loop.now)
        do {
            try self.decoder.decode(bytes, scratch: connection.loop.scratch) { event in
                self.handle(event, connection: connection)
                if case .webSocket = connection.state { return true }
                return false
            }
            connection.read(self.decoder.missingBytes > 1024 ? .large : .small)
        } catch {
            connection.closeWebSocket(code: error.closeCode, reason: error.reason)
        }
    }

    private func handle(_ event: WebSocketEvent, connection: Connection) {
        switch event {
        case .text(let bytes): self.handleMessage(bytes, connection: connection)
        case .binary: connection.reply(ServerFrame.error(.binaryMessage))
        case .ping(let payload): connection.loop.replies.writeWebSocketFrame(.pong, payload)
        case .pong: break
        case .close(let code):
            // Answered with the same code (RFC 6455 section 5.5.1).
            connection.closeWebSocket(code: code ?? 1000, reason: "")
        }
    }

    private func handleMessage(_ bytes: UnsafeRawBufferPointer, connection: Connection) {
        do throws(ProtocolError) {
            switch try ClientFrame(decoding: bytes) {
            case .ping: connection.reply(ServerFrame.pong)
            case .pong: break
            case .subscribe(let request): self.subscribe(request, connection: connection)
            case .unsubscribe(let channel): try self.unsubscribe(channel, connection: connection)
            case .clientEvent(let event): try self.publish(event, connection: connection)
            case .unsupported(let name): throw .unsupportedEvent(name)
            }
        } catch {
            connection.reply(ServerFrame.error(error))
        }
    }

    // MARK: Subscriptions

    private func subscribe(_ request: SubscribeRequest, connection: Connection) {
        do throws(SubscriptionRefusal) {
            let limits = self.app.application.limits
            let admission = try SubscriptionPolicy.admit(
                request, socketID: self.socketID, credentials: self.app.application.credentials, limits: limits)
            if self.subscription(to: admission.channel, connection: connection) != nil {
                self.confirm(admission, members: self.app.hub.members(of: admission.channel), connection: connection)
                return
            }
            guard self.subscriptions.count < limits.channelsPerConnection else {
                throw SubscriptionRefusal(
                    .limit, channel: admission.channel.text, error: .tooManyChannels(limits.channelsPerConnection))
            }
            switch self.app.hub.subscribe(admission, loop: connection.loop.index, of: self.app.application) {
            case .joined(let sequence, let members, _):
                let subscription = connection.loop.subscribers.insert(
                    connection, to: admission.channel, app: self.app.hub.index, joinedAt: sequence,
                    slot: self.subscriptions.count, userID: admission.member?.userID)
                self.subscriptions.append(subscription)
                self.confirm(admission, members: members, connection: connection)
            case .full:
                throw SubscriptionRefusal(
                    .limit, channel: admission.channel.text, error: .presenceFull(limits.presenceMembers))
            }
        } catch {
            connection.reply(ServerFrame.error(error.error))
            connection.reply(error.channelFrame)
        }
    }

    /// Precedes every other frame of the channel (P78): deliveries wait in the inbox until this input is done.
    private func confirm(_ admission: Admission, members: [PresenceMember], connection: Connection) {
        connection.reply(
            admission.member == nil
                ? ServerFrame.subscriptionSucceeded(channel: admission.channel)
                : ServerFrame.subscriptionSucceeded(channel: admission.channel, members: members))
    }

    private func unsubscribe(_ name: String, connection: Connection) throws(ProtocolError) {
        guard let channel = ChannelName(name, limit: self.app.application.limits.channelName),
            let index = self.subscription(to: channel, connection: connection)
        else { throw .notSubscribed(name) }
        let subscription = self.subscriptions[index]
        let last = self.subscriptions.removeLast()
        if index < self.subscriptions.count {
            self.subscriptions[index] = last
            connection.loop.subscribers.move(last, toSlot: index)
        }
        self.leave(subscription, connection: connection)
    }

    private func leave(_ subscription: Subscription, connection: Connection) {
        connection.loop.subscribers.remove(subscription, app: self.app.hub.index)
        self.app.hub.unsubscribe(subscription.channel.name, loop: connection.loop.index, userID: subscription.userID)
    }

    /// Where the subscription to a channel stands in `subscriptions`.
    private func subscription(to name: ChannelName, connection: Connection) -> Int? {
        guard let channel = connection.loop.subscribers.channel(name, app: self.app.hub.index) else { return nil }
        return self.subscriptions.firstIndex { $0.channel === channel }
    }

    /// The place of a subscription among its channel's subscribers has changed.
    func moveSubscription(_ slot: Int, to index: Int) {
        self.subscriptions[slot].index = index
    }

    // MARK: Client events

    private func publish(_ event: ClientEvent, connection: Connection) throws(ProtocolError) {
        let application = self.app.application
        let own = ChannelName(event.channel, limit: self.app.application.limits.channelName)
            .flatMap { self.subscription(to: $0, connection: connection) }
        let channel = try ClientEventPolicy.check(
            event, isSubscribed: own != nil, application: application)
        if let limit = application.rates.clientEventsPerConnection,
            !self.clientEvents.allows(limit, now: connection.loop.now)
        {
            throw .clientEventRate
        }
        guard !self.app.hub.isOverloaded else { throw .clientEventOverload }
        var name = JSONWriter(reserving: event.name.utf8.count + 2)
        name.string(event.name)
        let frame = ServerFrame.event(
            name: name.bytes, channel: channel, data: event.data, userID: own.flatMap { self.subscriptions[$0].userID })
        self.app.hub.publish(frame, to: channel, excluded: self.socketID)
    }
}
