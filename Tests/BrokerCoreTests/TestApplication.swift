import BrokerCore
import PusherProtocol

extension Application {
    static func test(
        webhookEvents: Set<WebhookEvent.Kind> = [],
        _ configure: (inout Application.Features, inout Application.Rates, inout Limits) -> Void = { _, _, _ in }
    ) -> Application {
        var (features, rates, limits) = (Application.Features(), Application.Rates(), Limits())
        configure(&features, &rates, &limits)
        return Application(
            credentials: AppCredentials(id: "1", key: "k", secret: AppSecret("s")), features: features, rates: rates,
            limits: limits, webhookEvents: webhookEvents)
    }
}

extension ChannelTable {
    init(loops: Int) {
        self.init(loops: loops, shards: 1)
    }

    mutating func join(_ channel: ChannelName, loop: Int, member: PresenceMember?, memberLimit: Int) -> JoinOutcome {
        self.join(
            channel, loop: loop, member: member,
            application: .test { _, _, limits in limits.presenceMembers = memberLimit }, now: 0)
    }

    mutating func leave(_ channel: ChannelName, loop: Int, userID: String?) -> Departure {
        self.leave(channel, loop: loop, userID: userID, application: .test(), now: 0)
    }
}
