/// What `serve` says to a person once it listens.
struct Greeting: Sendable {
    struct Listener: Sendable {
        let host: String
        let port: Int

        /// The host as it stands in a URL.
        var urlHost: String { self.host.contains(":") ? "[\(self.host)]" : self.host }
        var authority: String { "\(self.urlHost):\(self.port)" }
    }

    let broker: Listener?
    /// Whether its port speaks TLS, too.
    let brokerHasTLS: Bool
    let tickets: Listener?
    let ops: Listener
    let appCount: Int
    /// The app that the ticket API uses, or the only one.
    let appID: String
    let appKey: String
    /// Where the secret lies, in words; never the secret.
    let secretPlace: String
    let showsDemo: Bool

    var text: String {
        var lines = ["Switchboard \(Release.version)"]
        if let broker = self.broker {
            let schemes = self.brokerHasTLS ? ["wss", "https", "http"] : ["http"]
            lines.append("  broker      \(schemes.map { "\($0)://\(broker.authority)" }.joined(separator: "  "))")
        }
        if let tickets = self.tickets { lines.append("  ticket API  http://\(tickets.authority)") }
        lines.append("  metrics     http://\(self.ops.authority)/metrics")
        if self.appCount > 1 { lines.append("  apps        \(self.appCount); the one of the ticket API:") }
        lines += [
            "  app id      \(self.appID)",
            "  app key     \(self.appKey)",
            "  app secret  see \(self.secretPlace)",
        ]
        if self.showsDemo, let tickets = self.tickets { lines += self.demo(tickets) }
        return lines.joined(separator: "\n") + "\n"
    }

    private func demo(_ tickets: Listener) -> [String] {
        let url = "http://\(tickets.authority)"
        let json = "-H 'Content-Type: application/json'"
        let login = "curl -s \(url)/login \(json) -d '{\"email\":\"test@gmail.com\",\"password\":\"11223344\"}'"
        let token = "$(\(login) | sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/')"
        var lines = [
            "",
            "Log in as a customer; post a message to their first ticket; listen to it with Laravel Echo:",
            login,
            "curl -s \(url)/tickets/1/chat/messages \(json) -H \"Authorization: Bearer \(token)\" "
                + "-d '{\"content\":\"Hello\"}'",
        ]
        if let broker = self.broker {
            lines.append(
                "new Echo({broadcaster:'reverb',key:'\(self.appKey)',wsHost:'\(broker.urlHost)',wsPort:\(broker.port),"
                    + (self.brokerHasTLS ? "wssPort:\(broker.port),forceTLS:true," : "forceTLS:false,")
                    + "enabledTransports:['ws'],authEndpoint:'\(url)/broadcasting/auth',"
                    + "bearerToken:'<token>'}).private('chat.1').listen('NewMessage',(e)=>console.log(e.message))")
        }
        return lines
    }
}
