internal import PusherProtocol

/// A dead letter could not be sent again; `description` is one line for the operator.
package struct ReplayFailure: Error, Equatable, CustomStringConvertible {
    package let description: String
}

extension DeadLetterBox {
    /// Sends a letter's events again, to the endpoint of its URL in the app's present configuration, and removes the
    /// letter once all were accepted.
    ///
    /// The requests are new ones: they have the present time and are signed with the app's present secret, because a
    /// receiver may refuse old ones (9.1 of the protocol facts). If one fails, the letter keeps the events from there
    /// on. Throws a `ReplayFailure`, or what went wrong with the letter's file.
    package func replay(
        _ letter: DeadLetter, app: WebhookApp, configuration: WebhookConfiguration = WebhookConfiguration()
    ) async throws {
        guard letter.app == app.id else {
            throw ReplayFailure(description: "letter \(letter.id) is of app \(letter.app), not of app \(app.id)")
        }
        guard let endpoint = app.endpoints.first(where: { $0.url == letter.url }) else {
            throw ReplayFailure(
                description: "app \(app.id) has no webhook with the URL of letter \(letter.id) any more; add it to "
                    + "the configuration again, or drop the letter")
        }
        var events = try letter.events()[...]
        let count = events.count
        let sender = WebhookSender(
            url: endpoint.url, lookups: HostLookups(configuration), answerTime: configuration.answerTime)
        do {
            while !events.isEmpty {
                let part = events.prefix(endpoint.batches ? configuration.batchSize : 1)
                let request = WebhookRequest(
                    events: part, credentials: app.credentials, created: WallClock.milliseconds)
                if let failure = await sender.send(request, headers: endpoint.headers) {
                    throw ReplayFailure(description: "\(endpoint.name) did not accept letter \(letter.id): \(failure)")
                }
                events = events.dropFirst(part.count)
            }
        } catch {
            await sender.shutdown()
            if events.count < count { try await self.write(letter.keeping(events)) }
            throw error
        }
        await sender.shutdown()
        try await self.remove(letter.id)
    }
}

extension DeadLetter {
    /// The events of the body, each as it stands there.
    func events() throws(ReplayFailure) -> [[UInt8]] {
        var events: [[UInt8]] = []
        // Text that is not JSON leaves no events, like a body without any.
        try? Array(self.body.utf8).withUnsafeBytes { body throws(JSONFailure) in
            var list: JSONSlice?
            try JSONReader.members(of: body) { name, value in
                if name == "events", value.kind == .array { list = value }
            }
            if let list { try JSONReader.elements(of: list.bytes) { events.append(Array($0.bytes)) } }
        }
        guard !events.isEmpty else {
            throw ReplayFailure(description: "the body of letter \(self.id) is not that of a webhook")
        }
        return events
    }

    /// The same letter with these events.
    fileprivate func keeping(_ events: some Sequence<[UInt8]>) -> DeadLetter {
        var letter = self
        letter.body = WebhookRequest.body(events: events, created: self.createdMS)
        return letter
    }
}
