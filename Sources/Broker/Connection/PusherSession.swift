import BrokerCore
import Logging
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
    private var signedIn: SignedIn?
    /// Channels off which the app has taken the connection: what was signed for them still is, and is not taken again.
    private var endedChannels: Set<ChannelName> = []
    /// When a client that has neither signed in nor joined a private or presence channel is closed.
    private var authorizeBy = UInt64.max

    /// Who is signed in. Apart from the session: most connections are nobody's.
    private final class SignedIn {
        var user: UserData
        /// Subscriptions that the client did not ask for: the user's channel, and those of the watched users' watchers.
        var hidden = 1

        init(user: UserData) {
            self.user = user
        }
    }

    init(app: ServedApp, maxMessageBytes: Int, now: UInt64) {
        self.app = app
        self.socketID = Self.newSocketID()
        self.decoder = WebSocketDecoder(maxMessageBytes: maxMessageBytes, peer: .client)
        self.keepAlive = KeepAlive(now: now)
        if let seconds = app.application.features.authorizationTimeout {
            self.authorizeBy = now + .nanoseconds(seconds: seconds)
        }
    }

    /// 64 random bits, neither half 0: never met twice, and not to be guessed by whoever wants a signature for it.
    private static func newSocketID() -> SocketID {
        while true {
            // One call of the system's generator.
            let bits = UInt64.random(in: 0...UInt64.max)
            let (first, second) = (UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32))
            if first != 0, second != 0 { return SocketID(first: first, second: second) }
        }
    }

    /// The first frame, and the first deadline.
    func begin(connection: Connection) {
        let timing = connection.loop.configuration.keepAlive
        connection.loop.sockets.insert(connection, as: self.socketID)
        connection.log("Client connected")
        connection.reply(
            ServerFrame.connectionEstablished(socketID: self.socketID, activityTimeout: timing.activityTimeout))
        if let next = self.checkAlive(now: connection.loop.now, connection: connection) {
            connection.loop.wheel.schedule(connection, at: next)
        }
    }

    /// The app's settings have been replaced; what has been subscribed to stays.
    func settingsChanged(to app: ServedApp) {
        let old = self.app.application
        self.app = app
        if app.application.features.authorizationTimeout == nil { self.authorizeBy = .max }
        if app.application.rates.clientEventsPerConnection != old.rates.clientEventsPerConnection {
            self.clientEvents = RateWindow()
        }
    }

    /// The connection is over: leaves every channel.
    func end(connection: Connection) {
        connection.loop.sockets.remove(self.socketID)
        let subscriptions = self.subscriptions
        self.subscriptions = []
        for subscription in subscriptions { self.leave(subscription, connection: connection) }
        self.app.hub.releaseConnection()
        connection.loop.quota.release()
        connection.loop.addresses.release(self.socketID)
    }

    // MARK: Liveness

    /// Pings a silent client or gives it up, as one that was not authorized in time; returns when to look again.
    func checkAlive(now: UInt64, connection: Connection) -> UInt64? {
        guard now < self.authorizeBy else {
            connection.close(with: .notAuthorizedInTime)
            return nil
        }
        switch self.keepAlive.check(at: now, timing: connection.loop.configuration.keepAlive) {
        case .wait(let instant): return min(instant, self.authorizeBy)
        case .ping(let instant):
            connection.sendFrame(.text, ServerFrame.ping)
            return min(instant, self.authorizeBy)
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
        } catch {
            connection.close(after: error)
        }
    }

    private func handle(_ event: WebSocketEvent, connection: Connection) {
        switch event {
        case .text(let bytes): self.handleMessage(bytes, connection: connection)
        case .binary: connection.refuse(.binaryMessage)
        case .ping(let payload): connection.loop.replies.writeWebSocketFrame(.pong, payload)
        case .pong: break
        case .close(let code, _):
            // Answered with the same code (RFC 6455 section 5.5.1).
            connection.closeWebSocket(code: code ?? 1000, reason: "")
        }
    }

    private func handleMessage(_ bytes: UnsafeRawBufferPointer, connection: Connection) {
        do throws(ProtocolError) {
            switch try ClientFrame(decoding: bytes) {
            case .ping: connection.reply(ServerFrame.pong)
            case .pong: break
            case .signIn(let request): try self.signIn(request, connection: connection)
            case .subscribe(let request): self.subscribe(request, connection: connection)
            case .unsubscribe(let channel): try self.unsubscribe(channel, connection: connection)
            case .clientEvent(let event): try self.publish(event, connection: connection)
            case .unsupported(let name): throw .unsupportedEvent(name)
            }
        } catch {
            connection.refuse(error)
        }
    }

    // MARK: Subscriptions

    private func subscribe(_ request: SubscribeRequest, connection: Connection) {
        do throws(SubscriptionRefusal) {
            let application = self.app.application
            let admission = try SubscriptionPolicy.admit(
                request, socketID: self.socketID, user: self.signedIn?.user, application: application)
            guard !self.endedChannels.contains(admission.channel) else {
                throw SubscriptionRefusal.terminated(admission.channel)
            }
            if self.subscription(to: admission.channel, connection: connection) != nil {
                self.confirmAgain(admission, connection: connection)
                return
            }
            guard self.subscriptions.count - (self.signedIn?.hidden ?? 0) < application.limits.channelsPerConnection
            else {
                throw SubscriptionRefusal(
                    .limit, channel: admission.channel.text,
                    error: .tooManyChannels(application.limits.channelsPerConnection))
            }
            switch self.join(admission, connection: connection) {
            case .joined(let join): self.confirm(admission, join, connection: connection)
            case .full:
                throw SubscriptionRefusal(
                    .limit, channel: admission.channel.text, error: .presenceFull(application.limits.presenceMembers))
            }
        } catch {
            connection.refuse(error.error, channel: error.channel)
            connection.reply(error.channelFrame)
        }
    }

    private func join(_ admission: Admission, connection: Connection) -> ChannelTable.JoinOutcome {
        let outcome = self.app.hub.subscribe(
            admission, loop: connection.loop.index, of: self.app.application, now: connection.loop.now)
        if case .joined(let join) = outcome {
            self.keep(
                admission.channel, joinedAt: join.sequence, userID: admission.member?.userID, connection: connection)
            if admission.channel.kind != .public { self.authorizeBy = .max }
        }
        return outcome
    }

    private func keep(_ channel: ChannelName, joinedAt sequence: UInt64, userID: String?, connection: Connection) {
        self.subscriptions.append(
            connection.loop.subscribers.insert(
                connection, to: channel, app: self.app.hub.index, joinedAt: sequence, slot: self.subscriptions.count,
                userID: userID))
    }

    /// Precedes every other frame of the channel (P78): deliveries wait in the inbox until this input is done.
    private func confirm(_ admission: Admission, _ join: ChannelTable.Join, connection: Connection) {
        let channel = admission.channel
        connection.reply(
            admission.member == nil
                ? ServerFrame.subscriptionSucceeded(channel: channel)
                : ServerFrame.subscriptionSucceeded(channel: channel, members: join.members))
        switch join.cache {
        case .event(let event)?:
            connection.reply(ServerFrame.event(name: event.name, channel: channel, data: event.data))
        case .miss?: connection.reply(ServerFrame.cacheMiss(channel: channel))
        case nil: break
        }
    }

    /// A client that subscribes twice in haste is told so twice (P47). What is cached is for newcomers: this one may
    /// have older deliveries on their way.
    private func confirmAgain(_ admission: Admission, connection: Connection) {
        var join = ChannelTable.Join(sequence: 0)
        if admission.member != nil { join.members = self.app.hub.members(of: admission.channel) }
        self.confirm(admission, join, connection: connection)
    }

    private func unsubscribe(_ name: String, connection: Connection) throws(ProtocolError) {
        // Whatever the app's limit is now: it may have been higher.
        guard let channel = ChannelName(name, limit: ChannelName.maxLength),
            let index = self.subscription(to: channel, connection: connection)
        else { throw .notSubscribed(name) }
        // A signed-in user's events come whether asked for or not (5.3).
        guard channel.kind != .user else { return }
        self.leave(at: index, connection: connection)
    }

    /// The app has ended the subscription.
    func endSubscription(to channel: ChannelName, saying frame: ByteBuffer, connection: Connection) {
        guard let index = self.subscription(to: channel, connection: connection) else { return }
        self.leave(at: index, connection: connection)
        // So many are remembered as there can be subscriptions; a new connection has new signatures.
        guard self.endedChannels.count < self.app.application.limits.channelsPerConnection else {
            return connection.close(with: .terminatedForNow)
        }
        self.endedChannels.insert(channel)
        connection.sendFrame(frame)
    }

    private func leave(at index: Int, connection: Connection) {
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
        self.app.hub.unsubscribe(
            subscription.channel.name, loop: connection.loop.index, userID: subscription.userID,
            of: self.app.application, now: connection.loop.now)
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

    // MARK: Users

    private func signIn(_ request: SignInRequest, connection: Connection) throws(ProtocolError) {
        let application = self.app.application
        let user = try SignInPolicy.admit(
            request, socketID: self.socketID, current: self.signedIn?.user, application: application)
        self.authorizeBy = .max
        if let signedIn {
            guard user != signedIn.user else {
                connection.reply(ServerFrame.signInSucceeded(userData: request.userData ?? ""))
                return
            }
            self.unwatch(signedIn, connection: connection)
            signedIn.user = user
        } else {
            self.signedIn = SignedIn(user: user)
            _ = self.join(Admission(channel: user.channel, member: nil), connection: connection)
        }
        connection.reply(ServerFrame.signInSucceeded(userData: request.userData ?? ""))
        guard application.features.watchlist else { return }
        if user.watchlistIsCut { connection.refuse(.watchlistCut(application.limits.watchlist)) }
        self.watch(user.watchlist, connection: connection)
    }

    /// Tells who of the watched users is there, and from now on who comes and goes.
    private func watch(_ users: [ChannelName], connection: Connection) {
        var (online, offline): ([String], [String]) = ([], [])
        for user in users {
            guard let id = user.userID,
                let watch = self.app.hub.watch(
                    user, loop: connection.loop.index, of: self.app.application, now: connection.loop.now)
            else { continue }
            self.keep(user.watchers, joinedAt: watch.sequence, userID: nil, connection: connection)
            self.signedIn?.hidden += 1
            if watch.isOnline { online.append(id) } else { offline.append(id) }
        }
        if !users.isEmpty { connection.reply(ServerFrame.watchlist(online: online, offline: offline)) }
    }

    private func unwatch(_ signedIn: SignedIn, connection: Connection) {
        for index in self.subscriptions.indices.reversed()
        where self.subscriptions[index].channel.name.kind == .watchers {
            self.leave(at: index, connection: connection)
        }
        signedIn.hidden = 1
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
        guard self.app.hub.admitClientEvent(to: application, now: connection.loop.now) else { throw .clientEventRate }
        guard !self.app.hub.isOverloaded else { throw .clientEventOverload }
        self.app.hub.relay(
            WebhookEvent.RelayedClientEvent(
                name: event.name, data: event.data, sender: self.socketID,
                userID: own.flatMap { self.subscriptions[$0].userID }),
            to: channel, of: application, now: connection.loop.now)
    }
}
