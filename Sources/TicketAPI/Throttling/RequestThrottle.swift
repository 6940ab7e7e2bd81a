internal import Addresses

/// The limits on requests per minute, of users and of network addresses. Each is off when it is nil.
///
/// A user's limit counts the requests with valid credentials, wherever they come from. An address's limit counts, each
/// for itself, the requests without credentials and those with credentials that turn out to be none. So whoever guesses
/// tokens is refused before the database is asked, and a crowd without credentials does not lock out the users behind
/// the same address.
struct RequestThrottle: Sendable {
    fileprivate let users: RequestCounts?
    fileprivate let strangers: RequestCounts?
    fileprivate let failures: RequestCounts?
    fileprivate let now: @Sendable () -> Timestamp

    init(perUser: Int?, perAddress: Int?, now: @escaping @Sendable () -> Timestamp) {
        self.users = perUser.map(RequestCounts.init)
        self.strangers = perAddress.map(RequestCounts.init)
        self.failures = perAddress.map(RequestCounts.init)
        self.now = now
    }

    /// Counts one request from `address`, as it becomes known who sends it.
    func tally(address: String) -> RequestTally {
        RequestTally(throttle: self, address: self.strangers == nil ? nil : NetworkKey(address))
    }
}

/// One request on its way: it is counted once, where it belongs.
struct RequestTally {
    fileprivate let throttle: RequestThrottle
    /// nil when addresses have no limit.
    fileprivate let address: NetworkKey?
    private var awaitsUser = false
    /// What is left to the caller, for the answer's header. nil where there is no limit.
    private(set) var allowance: RequestCounts.Allowance?
    /// The name of its route, once that is known: `GET /tickets/{id}`.
    var route: String?

    fileprivate init(throttle: RequestThrottle, address: NetworkKey?) {
        self.throttle = throttle
        self.address = address
    }

    /// Comes first. Throws `throttled`.
    mutating func began(withCredentials: Bool) throws(TicketFailure) {
        guard let address = self.address else { return }
        if withCredentials {
            try self.throttle.failures?.check(address, now: self.throttle.now())
            self.awaitsUser = true
        } else {
            self.allowance = try self.throttle.strangers?.take(address, now: self.throttle.now())
        }
    }

    /// The credentials are those of this user. Throws `throttled`.
    mutating func identified(_ userID: Int64) throws(TicketFailure) {
        self.awaitsUser = false
        self.allowance = try self.throttle.users?.take(userID, now: self.throttle.now())
    }

    /// Comes last. Credentials that led to no user by now count as wrong. Attempts under way at the same time can
    /// exceed the limit by their number: to reserve would refuse users who send many requests at once.
    mutating func ended() {
        guard self.awaitsUser, let failures = self.throttle.failures, let address = self.address else { return }
        do {
            self.allowance = try failures.take(address, now: self.throttle.now())
        } catch {
            // One of those: its answer stays what it is.
            self.allowance = RequestCounts.Allowance(limit: failures.limit, remaining: 0)
        }
    }
}
