internal import PusherProtocol
internal import PusherPublisher

/// Has the broker end what was revoked, and forgets what was ended.
///
/// A server that is not ours ends what it can: a user's signed-in connections when all of the user's are to end. The rest
/// is given up, because no later try would do better and the events behind it must go out.
struct Terminations: Sendable {
    /// Rows for one call on the store; their connections travel together.
    private static let rows: Int64 = 100

    let store: TicketStore
    let publisher: any Terminator

    func callAsFunction() async -> TerminationCall {
        var call = TerminationCall()
        var done: [Int64] = []
        do {
            let rows = try await self.store.read { try $0.terminations(limit: Self.rows) }
            call.hasMore = rows.count == Self.rows
            for parcel in Self.parcels(rows) {
                guard await self.carryOut(parcel, &call) else { break }
                done += parcel.map(\.id)
            }
            let ended = done
            if !ended.isEmpty { try await self.store.write { try $0.deleteTerminations(ended) } }
        } catch {
            // What was ended and not forgotten is ended again, which changes nothing.
            call.failure = "the store cannot be used: \(type(of: error))"
        }
        return call
    }

    /// Rows that one request can carry: of connections as many as the broker takes, which all come back or all do not.
    private static func parcels(_ rows: [TerminationRow]) -> [[TerminationRow]] {
        var parcels: [[TerminationRow]] = []
        for row in rows {
            if let last = parcels.last, let first = last.first, first.channels.isEmpty, row.channels.isEmpty,
                first.reconnects == row.reconnects,
                last.reduce(row.sockets.count, { $0 + $1.sockets.count }) <= Limits().socketsPerTermination
            {
                parcels[parcels.count - 1].append(row)
            } else {
                parcels.append([row])
            }
        }
        return parcels
    }

    /// Whether nothing more is to be done for these rows.
    private func carryOut(_ parcel: [TerminationRow], _ call: inout TerminationCall) async -> Bool {
        do throws(PublishFailure) {
            if try await self.end(parcel) { return true }
            // Refused. By a server that serves us, for good; else by whatever stands there for now (decision 5).
            guard try await self.publisher.isAccepted() else { throw .unavailable("the server refuses every call") }
            call.isBeyondServer = true
            return true
        } catch {
            call.failure =
                switch error {
                case .unavailable(let cause): cause
                case .failed(let status), .rejected(let status): "status \(status)"
                }
            return false
        }
    }

    /// Whether the server did all of it.
    private func end(_ parcel: [TerminationRow]) async throws(PublishFailure) -> Bool {
        for channel in parcel.flatMap(\.channels) {
            guard try await self.publisher.terminateSubscriptions(to: channel) else { return false }
        }
        let sockets = parcel.flatMap(\.sockets)
        guard let reconnects = parcel.first?.reconnects, !sockets.isEmpty else { return true }
        if try await self.publisher.terminateConnections(sockets, reconnecting: reconnects) { return true }
        for userID in Set(parcel.compactMap(\.userID)) {
            guard try await self.publisher.terminateConnections(ofUser: userID) else { return false }
        }
        return false
    }
}
