import BrokerCore
import PusherProtocol

/// One app as it is served at present: its settings, and its channels, which outlive them.
final class ServedApp: Sendable {
    let application: Application
    let hub: AppHub

    init(application: Application, hub: AppHub) {
        self.application = application
        self.hub = hub
    }
}

/// The apps that are served at present. A reload makes a new value; every loop has its own copy.
struct ServedApps: Sendable {
    let all: [ServedApp]
    private let byKey: [String: ServedApp]
    private let byID: [String: ServedApp]

    /// - Parameter apps: with keys and ids that occur once.
    init(_ apps: [ServedApp]) {
        self.all = apps
        self.byKey = Dictionary(apps.map { ($0.application.credentials.key, $0) }) { first, _ in first }
        self.byID = Dictionary(apps.map { ($0.application.credentials.id, $0) }) { first, _ in first }
    }

    func app(key: String) -> ServedApp? { self.byKey[key] }
    func app(id: String) -> ServedApp? { self.byID[id] }

    /// What has taken the place of an app since `app` was served; nil when it has been taken out.
    func successor(of app: ServedApp) -> ServedApp? {
        guard let successor = self.byID[app.application.credentials.id], successor.hub === app.hub else { return nil }
        return successor
    }
}
