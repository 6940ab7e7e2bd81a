internal import Logging
internal import PusherProtocol
internal import PusherPublisher

/// One call of the relay: the first events of some tickets go to the broker.
struct OutboxCall: Sendable {
    private static let rowsPerLane: Int64 = 10
    /// Some servers read at most 100 kB of a request.
    private static let maxBytesPerCall = 65_536

    let store: TicketStore
    let publisher: any EventPublisher
    let names: EventNames
    let logger: Logger

    /// Publishes the first rows of each lane. `last`: the last row of a ticket that was accepted and is still there.
    func callAsFunction(_ tickets: [Int64], after last: [Int64: Int64]) async -> RelayCall {
        var call = RelayCall(tickets: tickets)
        do {
            // Read together: whoever sees an event sees the termination before it, until the broker has carried it out.
            let (rows, barrier) = try await self.store.lookUp { tables in
                let barrier = try tables.barrier()
                return (
                    try tickets.flatMap { ticketID in
                        try tables.outbox(
                            of: ticketID, after: last[ticketID] ?? 0, limit: Self.rowsPerLane, barrier: barrier)
                    },
                    barrier
                )
            }
            call.sawTermination = barrier != nil
            call.unfinishedTickets = barrier != nil ? Set(tickets) : Self.ticketsWithMore(rows)
            if rows.isEmpty { call.outcome = .nothingDue }
            let due = rows.sorted { $0.id < $1.id }
            for parcel in self.parcels(due) {
                guard await self.deliver(parcel, &call) else {
                    // Everything that was not accepted stays for the next time.
                    call.unfinishedTickets.formUnion(due.dropFirst(call.accepted.count).map(\.ticketID))
                    break
                }
            }
        } catch {
            call.outcome = .unavailable("the store cannot be read: \(type(of: error))")
            call.unfinishedTickets = Set(tickets)
        }
        return call
    }

    /// Publishes one parcel; whether to go on with the next.
    private func deliver(_ parcel: [OutboxRow], _ call: inout RelayCall) async -> Bool {
        do throws(PublishFailure) {
            try await self.publisher.publish(parcel.flatMap(self.events))
            call.accepted += parcel
            return true
        } catch {
            switch error {
            case .unavailable(let cause):
                call.outcome = .unavailable(cause)
                return false
            case .failed(let status):
                call.outcome = .failed("status \(status)")
                call.failedTickets = Set(parcel.map(\.ticketID))
                return false
            case .rejected(let status):
                guard parcel.count == 1, var row = parcel.first else {
                    // One of them spoils the whole: each on its own, in order.
                    for row in parcel {
                        guard await self.deliver([row], &call) else { return false }
                    }
                    return true
                }
                if row.socketID != nil {
                    // It may be the socket id, whose form is the server's own. Better that the sender hears itself.
                    row.socketID = nil
                    return await self.deliver([row], &call)
                }
                self.logger.error(
                    "The broker refused an event for good; it is dropped.",
                    metadata: ["event": "\(row.event)", "ticket": "\(row.ticketID)", "status": "\(status)"])
                call.accepted.append(row)
                return true
            }
        }
    }

    /// Rows in the order given, as many in a call as it can carry; a row's events stay together.
    private func parcels(_ rows: [OutboxRow]) -> [[OutboxRow]] {
        var parcels: [[OutboxRow]] = []
        var events = 0
        var bytes = 0
        for row in rows {
            let rowEvents = row.channels.count * self.names(row.event).count
            let rowBytes = rowEvents * row.data.utf8.count
            let fits = events + rowEvents <= Limits().eventsPerBatch && bytes + rowBytes <= Self.maxBytesPerCall
            if fits, let last = parcels.indices.last {
                parcels[last].append(row)
                events += rowEvents
                bytes += rowBytes
            } else {
                parcels.append([row])
                events = rowEvents
                bytes = rowBytes
            }
        }
        return parcels
    }

    private func events(_ row: OutboxRow) -> [PublishedEvent] {
        row.channels.flatMap { channel in
            self.names(row.event).map { name in
                PublishedEvent(channel: channel, name: name, data: row.data, socketID: row.socketID)
            }
        }
    }

    /// The tickets of which as many rows were read as are read at once.
    private static func ticketsWithMore(_ rows: [OutboxRow]) -> Set<Int64> {
        let counts = Dictionary(rows.map { ($0.ticketID, Int64(1)) }, uniquingKeysWith: +)
        return Set(counts.filter { $0.value == self.rowsPerLane }.keys)
    }
}
