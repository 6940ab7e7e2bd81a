/// How one event loop sends its clients away when the server goes down: so many at once, and then a pause.
///
/// All loops together close the node's clients evenly over the time that is given for it, so that whoever takes them in
/// is not stormed. Few clients do not need so long.
package struct DrainPace: Equatable, Sendable {
    /// Clients that are sent away without a pause between.
    package let clientsPerStep: Int
    /// From one step to the next; a step that comes late is not made up for.
    package let pause: Duration

    /// So many closes in a second, of all loops together, trouble nobody.
    package static let harmlessPerSecond = 100.0
    /// How long a pause should be; shorter ones only cost work.
    private static let usualPause = 0.05

    /// - Parameters:
    ///   - clients: how many the loop has, at least 1.
    ///   - time: for all of them; zero to send them away at once.
    ///   - loops: how many loops the node has.
    package init(clients: Int, over time: Duration, loops: Int) {
        let seconds = time / .seconds(1)
        guard seconds > 0 else {
            self.clientsPerStep = clients
            self.pause = .zero
            return
        }
        let perSecond = max(Double(clients) / seconds, Self.harmlessPerSecond / Double(loops))
        self.clientsPerStep = max(1, Int(perSecond * Self.usualPause))
        self.pause = .seconds(Double(self.clientsPerStep) / perSecond)
    }
}
