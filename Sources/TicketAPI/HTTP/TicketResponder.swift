internal import HTTPTypes
internal import Hummingbird
internal import Logging
internal import NIOHTTP1

/// Answers every request: finds its route, knows its caller, runs its endpoint, and turns failures into the contract's
/// answers.
///
/// Hummingbird's router knows no 405, so the table is searched here.
struct TicketResponder: HTTPResponder {
    let routes: [Route]
    let sessions: Sessions
    let cookieMode: CookieMode
    let files: AttachmentFiles
    let throttle: RequestThrottle
    let proxies: TrustedProxies
    let crossOrigin: CrossOriginPolicy
    let uploads: Quota
    let counts: TicketCounts
    let logger: Logger

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let origin = self.proxies.origin(of: request, from: context.address)
        var tally = self.throttle.tally(address: origin.address)
        var response = try await self.answer(to: request, on: context, from: origin, &tally)
        // A refusal tells of its own limit.
        if let allowance = tally.allowance, response.headers[.rateLimit] == nil {
            response.headers[.rateLimit] = String(allowance.limit)
            response.headers[.rateLimitRemaining] = String(allowance.remaining)
        }
        self.crossOrigin.complete(&response, to: request)
        self.counts.answered(route: tally.route ?? "other", status: Int(response.status.code))
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// Throws `HTTPParserError` only, which Hummingbird answers.
    private func answer(
        to request: Request, on connection: ConnectionContext, from origin: TrustedProxies.Origin,
        _ tally: inout RequestTally
    ) async throws -> Response {
        defer { tally.ended() }
        do {
            return try await self.run(request, on: connection, from: origin, &tally)
        } catch let failure as TicketFailure {
            return Response(failure)
        } catch let failure as HTTPFailure {
            return Response(failure)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            self.logger.error(
                "A request failed.",
                metadata: ["method": "\(request.method)", "path": "\(request.uri.path)", "error": "\(error)"])
            return Response(unexpected: error)
        }
    }

    private func run(
        _ request: Request, on connection: ConnectionContext, from origin: TrustedProxies.Origin,
        _ tally: inout RequestTally
    ) async throws -> Response {
        if let preflight = self.crossOrigin.preflight(request) { return preflight }
        let path = request.uri.path
        let matches = self.matches(path)
        if !matches.contains(where: { $0.route.isHealthCheck }) {
            let session = request.headers.cookie(SessionCookie.name) { SessionCookie($0)?.session }
            try tally.began(
                withCredentials: (request.headers[.authorization] != nil || session != nil)
                    && matches.contains(where: { $0.route.isGuarded }))
        }
        guard !matches.isEmpty else { throw HTTPFailure.routeNotFound(path: path) }

        guard request.method == .post, BodyReader.isForm(request) else {
            let method = request.method == .head ? .get : request.method
            let (route, id) = try Self.route(method, matches, path)
            tally.route = route.name(for: method)
            var call = Call(
                request: request, connection: connection, address: origin.address, usesTLS: origin.usesTLS, path: path,
                id: id)
            let session = route.isGuarded ? try await self.session(of: call, route, &tally) : nil
            do {
                if session?.kind == .session, method != .get { try await self.cookieMode.admit(&call) }
                return try await self.run(route, call, session)
            } catch {
                try await self.confirm(session, of: call)
                throw error
            }
        }
        return try await self.runForm(request, on: connection, from: origin, path, matches, &tally)
    }

    /// An HTML form can only POST; it names what it means in a field. Who sends it, and whether files are wanted of this
    /// sender, is known before it is read.
    private func runForm(
        _ request: Request, on connection: ConnectionContext, from origin: TrustedProxies.Origin, _ path: String,
        _ matches: [(route: Route, id: Int64)], _ tally: inout RequestTally
    ) async throws -> Response {
        guard let posted = matches.first(where: { $0.route.methods.contains(.post) }) ?? matches.first else {
            throw HTTPFailure.routeNotFound(path: path)
        }
        tally.route = posted.route.name(for: .post)
        var call = Call(
            request: request, connection: connection, address: origin.address, usesTLS: origin.usesTLS, path: path,
            id: posted.id)
        let session = matches.contains(where: \.route.isGuarded) ? try await self.session(of: call, nil, &tally) : nil
        var takesFiles = false
        if let session, let admitsFiles = posted.route.admitsFiles, BodyReader.isMultipart(request) {
            if session.kind == .session { try self.cookieMode.checkHeaders(call) }
            try await admitsFiles(call, session)
            takesFiles = true
        }
        let body = try await self.body(of: request, on: connection, takesFiles: takesFiles)
        call.body = body
        do {
            if session?.kind == .session { try await self.cookieMode.admit(&call) }
            let method = Self.namedMethod(body.input) ?? .post
            let (route, _) = try Self.route(method, matches, path)
            tally.route = route.name(for: method)
            let response = try await self.run(route, call, session)
            await self.files.discard(body.uploads)
            return response
        } catch {
            await self.files.discard(body.uploads)
            try await self.confirm(session, of: call)
            throw error
        }
    }

    /// Throws `overloaded` when as many forms with files are being read as may be.
    private func body(
        of request: Request, on connection: ConnectionContext, takesFiles: Bool
    ) async throws -> ReceivedBody {
        guard takesFiles else { return try await BodyReader.read(request, on: connection) }
        guard self.uploads.admit() else { throw TicketFailure.overloaded }
        defer { self.uploads.release() }
        return try await BodyReader.read(request, on: connection, files: self.files)
    }

    /// Comes before a refusal, which may have been found before the transaction that would have confirmed the session.
    /// Throws `unauthenticated` when it has ended meanwhile.
    private func confirm(_ session: Session?, of call: Call) async throws {
        guard session != nil else { return }
        _ = try await self.sessions(Self.presented(call))
    }

    /// Who calls: by the bearer token, else by the session cookie.
    private func session(
        of call: Call, _ route: Route?, _ tally: inout RequestTally
    ) async throws -> Session {
        let presented = Self.presented(call)
        let isConfirmed = route?.isConfirming ?? false
        let session = try await isConfirmed ? self.sessions.claimed(presented) : self.sessions(presented)
        try tally.identified(session.user.id)
        return session
    }

    private static func presented(_ call: Call) -> AccessToken.Presented? {
        if let token = call.bearerToken { return AccessToken.Presented(token, as: .token) }
        return call.sessionCookie?.session
    }

    private func run(_ route: Route, _ call: Call, _ session: Session?) async throws -> Response {
        switch route.endpoint {
        case .open(let run): return try await run(call)
        case .guarded(let run), .confirming(let run):
            guard let session else { throw TicketFailure.unauthenticated }
            return try await run(call, session)
        }
    }

    private static func route(
        _ method: HTTPRequest.Method, _ matches: [(route: Route, id: Int64)], _ path: String
    ) throws -> (route: Route, id: Int64) {
        if let match = matches.first(where: { $0.route.methods.contains(method) }) { return match }
        throw HTTPFailure.methodNotAllowed(
            method: method.rawValue, path: path, allowed: Self.allowed(matches.map(\.route)))
    }

    /// The routes of a path, whatever their method. Each path is there bare and under `/api`; a slash at its end says
    /// nothing.
    private func matches(_ path: String) -> [(route: Route, id: Int64)] {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if parts.count > 1, parts.last == "" { parts = parts.dropLast() }
        if parts.first == "api" { parts = parts.dropFirst() }
        let path = Array(parts)
        return self.routes.compactMap { route in route.match(path).map { (route, $0) } }
    }

    private static func namedMethod(_ form: Input) -> HTTPRequest.Method? {
        guard case .text(let name) = form["_method"] else { return nil }
        let method = HTTPRequest.Method(rawValue: name.uppercased())
        return method.flatMap { [.put, .patch, .delete].contains($0) ? $0 : nil }
    }

    private static func allowed(_ routes: [Route]) -> [String] {
        routes.flatMap(\.methods).flatMap { $0 == .get ? ["GET", "HEAD"] : [$0.rawValue] }
    }
}
