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
    let throttle: RequestThrottle
    let logger: Logger

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        var tally = self.throttle.tally(address: context.address)
        var response = try await self.answer(to: request, context, &tally)
        // A refusal tells of its own limit.
        if let allowance = tally.allowance, response.headers[.rateLimit] == nil {
            response.headers[.rateLimit] = String(allowance.limit)
            response.headers[.rateLimitRemaining] = String(allowance.remaining)
        }
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// Throws `HTTPParserError` only, which Hummingbird answers.
    private func answer(
        to request: Request, _ context: ConnectionContext, _ tally: inout RequestTally
    ) async throws -> Response {
        defer { tally.ended() }
        do {
            return try await self.run(request, context, &tally)
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
        _ request: Request, _ context: ConnectionContext, _ tally: inout RequestTally
    ) async throws -> Response {
        let path = request.uri.path
        let matches = self.matches(path)
        if !matches.contains(where: { $0.route.isHealthCheck }) {
            try tally.began(
                withCredentials: request.headers[.authorization] != nil
                    && matches.contains(where: { $0.route.isGuarded }))
        }
        guard !matches.isEmpty else { throw HTTPFailure.routeNotFound(path: path) }

        // An HTML form can only POST; it names what it means in a field.
        let isForm = request.method == .post && BodyReader.isForm(request)
        let body = isForm ? try await BodyReader.read(request) : nil
        let method = body.flatMap(Self.namedMethod) ?? (request.method == .head ? .get : request.method)

        guard let (route, id) = matches.first(where: { $0.route.methods.contains(method) }) else {
            throw HTTPFailure.methodNotAllowed(
                method: method.rawValue, path: path, allowed: Self.allowed(matches.map(\.route)))
        }
        let call = Call(request: request, address: context.address, path: path, id: id, body: body)
        switch route.endpoint {
        case .open(let run): return try await run(call)
        case .guarded(let run):
            guard let token = call.bearerToken else { throw TicketFailure.unauthenticated }
            let session = try await self.sessions(token)
            try tally.identified(session.user.id)
            return try await run(call, session)
        case .confirming(let run):
            guard let token = call.bearerToken else { throw TicketFailure.unauthenticated }
            let session = try await self.sessions.claimed(token)
            try tally.identified(session.user.id)
            do {
                return try await run(call, session)
            } catch let failure as HTTPFailure {
                // It came before the transaction that would have confirmed the session.
                _ = try await self.sessions(token)
                throw failure
            }
        }
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
