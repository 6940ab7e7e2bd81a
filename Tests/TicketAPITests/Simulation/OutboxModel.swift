@testable import TicketAPI

/// What the outbox was given, in the order of the commits, and what has become of it.
struct OutboxModel {
    struct Event {
        let ticket: Int64
        /// The commit's number.
        let order: Int
        /// No broker ever accepts it.
        let isPoison: Bool
        var isAccepted = false
        /// The relay could not know that it was accepted.
        var mayRepeat = false
    }

    struct Termination {
        let order: Int
        let sockets: [String]
        let channel: String?
        var isCarriedOut = false
    }

    /// By their data, which is different for each.
    private(set) var events: [String: Event] = [:]
    private(set) var terminations: [Termination] = []
    private(set) var repetitions = 0
    private(set) var complaints: [String] = []
    private var commits = 0

    mutating func committed(_ data: String, of ticket: Int64, isPoison: Bool) {
        self.commits += 1
        self.events[data] = Event(ticket: ticket, order: self.commits, isPoison: isPoison)
    }

    mutating func committedTermination(sockets: [String], channel: String?) {
        self.commits += 1
        self.terminations.append(Termination(order: self.commits, sockets: sockets, channel: channel))
    }

    /// The broker accepts an event of this ticket's channel.
    mutating func accepted(_ data: String, of ticket: Int64) {
        guard let event = self.events[data] else {
            self.complaints.append("\(data) was accepted, but never committed")
            return
        }
        self.check(event.ticket == ticket, "\(data) came to ticket \(ticket)")
        self.check(!event.isPoison, "\(data) was accepted against all rules")
        for (other, earlier) in self.events where earlier.ticket == ticket && earlier.order < event.order {
            self.check(earlier.isAccepted || earlier.isPoison, "\(data) was accepted before \(other)")
        }
        for termination in self.terminations where termination.order < event.order {
            self.check(termination.isCarriedOut, "\(data) was accepted before the revocation \(termination.order)")
        }
        self.check(!event.isAccepted || event.mayRepeat, "\(data) was repeated without need")
        if event.isAccepted { self.repetitions += 1 }
        self.events[data]?.isAccepted = true
    }

    /// A repetition of it is no fault from now on.
    mutating func mayRepeat(_ data: String) {
        self.events[data]?.mayRepeat = true
    }

    mutating func ended(sockets: [String]) {
        let sockets = Set(sockets)
        for index in self.terminations.indices
        where self.terminations[index].channel == nil && sockets.isSuperset(of: self.terminations[index].sockets) {
            self.terminations[index].isCarriedOut = true
        }
    }

    mutating func ended(channel: String) {
        for index in self.terminations.indices where self.terminations[index].channel == channel {
            self.terminations[index].isCarriedOut = true
        }
    }

    /// A client received an event: nothing that was committed after its rights had been taken away.
    mutating func received(_ data: String, by socketID: String) {
        guard let event = self.events[data] else { return }
        for termination in self.terminations where termination.sockets.contains(socketID) {
            self.check(event.order < termination.order, "\(data) reached \(socketID) after its revocation")
        }
    }

    mutating func checkComplete() {
        for (data, event) in self.events where !event.isPoison { self.check(event.isAccepted, "\(data) is lost") }
        for termination in self.terminations {
            self.check(termination.isCarriedOut, "the revocation \(termination.order) is lost")
        }
    }

    mutating func complain(_ complaint: String) {
        self.complaints.append(complaint)
    }

    private mutating func check(_ isRight: Bool, _ complaint: @autoclosure () -> String) {
        if !isRight { self.complaints.append(complaint()) }
    }
}
