internal import NIOCore
package import PusherClient
package import PusherProtocol

/// One connection under load: subscribes, and hands what it receives to its loop's tracker. Confined to its loop.
package final class Subscriber: PusherConnectionDelegate {
    /// Among all connections, and among those of its loop.
    let number: Int
    private let index: Int
    private let loop: LoadLoop
    private var pending: Int
    private var hasJoined = false
    private(set) var connection: PusherConnection?
    /// Called when a client event of this connection was refused.
    var onRefusal: ((ServerEvent.Failure) -> Void)?

    init(number: Int, index: Int, loop: LoadLoop) {
        self.number = number
        self.index = index
        self.loop = loop
        self.pending = loop.plan.subscriptions
    }

    func open() {
        self.connection = PusherConnection.open(
            self.loop.plan.endpoint, at: self.loop.address, on: self.loop.client, delegate: self)
    }

    package func established(_ connection: PusherConnection) {
        let plan = self.loop.plan
        let user = plan.kind == .presence ? #"{"user_id":"bench-\#(self.number)"}"# : nil
        for subscription in 0..<plan.subscriptions {
            connection.subscribe(
                to: self.loop.channels[plan.channel(ofConnection: self.number, subscription: subscription)],
                credentials: plan.credentials, channelData: user)
        }
    }

    package func takes(_ message: UnsafeRawBufferPointer, on connection: PusherConnection) -> Bool {
        self.hasJoined
            && self.loop.tracker.take(
                message, index: self.index, connection: self.number, now: NIODeadline.now().uptimeNanoseconds)
    }

    package func received(_ event: ServerEvent, on connection: PusherConnection) {
        switch event.name {
        case "pusher_internal:subscription_succeeded": self.subscribed()
        case "pusher:subscription_error": self.refuse(ServerEvent.Failure(code: nil, message: event.data ?? ""))
        case "pusher:error": self.refuse(event.failure ?? ServerEvent.Failure(code: nil, message: ""))
        case self.loop.plan.eventName: self.loop.tracker.noteMalformed()
        default: break
        }
    }

    package func receivedNonsense(_ message: UnsafeRawBufferPointer, on connection: PusherConnection) {
        self.loop.tracker.noteMalformed()
    }

    private func subscribed() {
        self.pending -= 1
        guard self.pending == 0, !self.hasJoined else { return }
        self.hasJoined = true
        let plan = self.loop.plan
        for subscription in 0..<plan.subscriptions {
            self.loop.tracker.subscribed(to: plan.channel(ofConnection: self.number, subscription: subscription))
        }
        self.loop.joined(self)
    }

    private func refuse(_ failure: ServerEvent.Failure) {
        if self.hasJoined {
            self.onRefusal?(failure)
        } else {
            self.loop.failed(.subscription(code: failure.code, message: failure.message))
        }
    }

    package func ended(_ connection: PusherConnection, because failure: PusherClientFailure?) {
        guard let failure else { return }
        guard self.hasJoined else { return self.loop.failed(.connection(failure)) }
        let plan = self.loop.plan
        for subscription in 0..<plan.subscriptions {
            self.loop.tracker.unsubscribed(from: plan.channel(ofConnection: self.number, subscription: subscription))
        }
        self.loop.lost(self, because: failure)
    }
}
