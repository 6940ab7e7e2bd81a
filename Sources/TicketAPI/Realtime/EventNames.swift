/// Under which names an event goes out.
package enum EventStyle: String, Sendable, CaseIterable {
    /// `NewMessage`
    case plain
    /// `App\Events\NewMessage`, what Echo's `.listen('NewMessage')` waits for.
    case laravel
    /// Both names, one event each.
    case both
}

/// The names of each event on the wire: those of the style, and an alias that an operator added.
struct EventNames: Sendable {
    let style: EventStyle
    let aliases: [String: String]

    func callAsFunction(_ event: String) -> [String] {
        let laravel = "App\\Events\\\(event)"
        let names =
            switch self.style {
            case .plain: [event]
            case .laravel: [laravel]
            case .both: [event, laravel]
            }
        guard let alias = self.aliases[event], !names.contains(alias) else { return names }
        return names + [alias]
    }
}
