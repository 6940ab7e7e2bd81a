internal import PusherProtocol
internal import PusherPublisher

/// The data of an event that may go to any channel, in JSON.
struct SharedData: Sendable {
    let text: String

    /// `{name: content}`, in short where a broker would refuse it as too large.
    init(_ name: String, _ content: some SharedContent) {
        self.text = EventData.text(name, content.json, orShort: content.shortJSON)
    }

    init(_ mark: ReadMark) {
        self.text = JSON.object([("user_id", .int(mark.userID)), ("message_id", .int(mark.messageID))]).text
    }
}

/// The data of an event that only staff may hear, in JSON.
struct StaffData: Sendable {
    let text: String

    init(_ name: String, _ content: Confidential<some TicketEntry>) {
        self.text = EventData.text(name, content.staffJSON, orShort: content.shortStaffJSON)
    }
}

private enum EventData {
    static func text(_ name: String, _ content: JSON, orShort short: @autoclosure () -> JSON) -> String {
        let text = JSON.object([(name, content)]).text
        return text.utf8.count <= Limits().eventData ? text : JSON.object([(name, short())]).text
    }
}
