import BrokerCore
import PusherProtocol

/// The apps of a run, and which of them the ticket API is.
struct AppSelection: Sendable {
    let apps: [ConfiguredApp]
    let ticketsApp: ConfiguredApp
    /// Where its secret lies, in words; never the secret.
    let secretPlace: String

    /// From the list, from the settings of the single app, or generated in `directory`, which is there when neither is
    /// given.
    init(_ settings: Settings, in directory: DataDirectory?) throws(StartFailure) {
        if let list = settings.apps {
            self.apps = list.apps
            self.ticketsApp = list.apps[settings.ticketsAppIndex]
            self.secretPlace = list.origin
            return
        }
        let credentials: AppCredentials
        if let app = settings.app {
            credentials = AppCredentials(id: app.id, key: app.key, secret: AppSecret(app.secret))
            self.secretPlace = app.secretOrigin
        } else {
            guard let directory else { preconditionFailure("no app was given, so the data directory was opened") }
            let file = CredentialFile(in: directory.path)
            let content = try file.readOrMake()
            credentials = AppCredentials(id: content.id, key: content.key, secret: AppSecret(content.secret))
            self.secretPlace = file.path
        }
        var features = Application.Features()
        features.clientEvents = settings.clientEvents
        var rates = Application.Rates()
        rates.clientEventsPerConnection = settings.clientEventsPerSecond
        self.ticketsApp = ConfiguredApp(
            application: Application(
                credentials: credentials, allowedOrigins: settings.brokerAllowedOrigins, features: features,
                rates: rates))
        self.apps = [self.ticketsApp]
    }
}
