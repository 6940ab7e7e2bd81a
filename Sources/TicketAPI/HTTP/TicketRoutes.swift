internal import Hummingbird

/// The table of endpoints.
enum TicketRoutes {
    static func table(
        health: HealthEndpoint, accounts: AccountEndpoints, tickets: TicketEndpoints, chat: ChatEndpoints,
        realtime: RealtimeAuthEndpoint, admin: AdminEndpoints
    ) -> [Route] {
        [
            Route(.get, path: "/up", .open(health.up)),
            Route(.get, path: "/openapi.json", .open(DescriptionEndpoint().show)),

            Route(.post, path: "/register", .open(accounts.register)),
            Route(.post, path: "/login", .open(accounts.logIn)),
            Route(.post, path: "/logout", .guarded(accounts.logOut)),
            Route(.get, path: "/user", .guarded(accounts.user)),

            Route(.get, path: "/tickets", .guarded(tickets.list)),
            Route(.post, path: "/tickets", .guarded(tickets.create)),
            Route(.get, path: "/tickets/{id}", .confirming(tickets.show)),
            Route(.put, .patch, path: "/tickets/{id}", .guarded(tickets.update)),
            Route(.delete, path: "/tickets/{id}", .guarded(tickets.delete)),

            Route(.get, path: "/tickets/{id}/chat", .guarded(chat.show)),
            Route(.post, path: "/tickets/{id}/chat/messages", .confirming(chat.post)),

            Route(.post, path: "/broadcasting/auth", .guarded(realtime.authorize)),
            Route(.post, path: "/broadcasting/user-auth", .guarded(realtime.authenticateUser)),

            Route(.get, path: "/users", .guarded(admin.users)),
            Route(.patch, path: "/users/{id}", .guarded(admin.updateUser)),
            Route(.get, path: "/stats", .guarded(admin.statistics)),
        ]
    }
}
