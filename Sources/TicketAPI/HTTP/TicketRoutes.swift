internal import Hummingbird

/// The table of endpoints.
enum TicketRoutes {
    static func table(
        health: HealthEndpoint, accounts: AccountEndpoints, tokens: TokenEndpoints, tickets: TicketEndpoints,
        chat: ChatEndpoints, attachments: AttachmentEndpoint, comments: CommentEndpoints,
        realtime: RealtimeAuthEndpoint, admin: AdminEndpoints
    ) -> [Route] {
        [
            Route(.get, path: "/up", .open(health.up)),
            Route(.get, path: "/openapi.json", .open(DescriptionEndpoint().show)),

            Route(.post, path: "/register", .open(accounts.register)),
            Route(.post, path: "/login", .open(accounts.logIn)),
            Route(.post, path: "/logout", .guarded(accounts.logOut)),
            Route(.get, path: "/sanctum/csrf-cookie", .open(accounts.cookieMode.begin)),
            Route(.get, path: "/user", .guarded(accounts.user)),
            Route(.put, path: "/user/password", .guarded(accounts.changePassword)),
            Route(.get, path: "/user/tokens", .guarded(tokens.list)),
            Route(.delete, path: "/user/tokens/{id}", .guarded(tokens.delete)),

            Route(.get, path: "/tickets", .guarded(tickets.list)),
            Route(.post, path: "/tickets", .guarded(tickets.create), admitsFiles: { _, _ in }),
            Route(.get, path: "/tickets/{id}", .confirming(tickets.show)),
            Route(.put, .patch, path: "/tickets/{id}", .guarded(tickets.update)),
            Route(.delete, path: "/tickets/{id}", .guarded(tickets.delete)),

            Route(.get, path: "/tickets/{id}/chat", .guarded(chat.show)),
            Route(.post, path: "/tickets/{id}/chat/messages", .confirming(chat.post), admitsFiles: chat.admit),
            Route(.post, path: "/tickets/{id}/chat/read", .guarded(chat.read)),

            Route(.get, path: "/attachments/{id}", .guarded(attachments.show)),

            Route(.get, path: "/tickets/{id}/comments", .guarded(comments.list)),
            Route(.post, path: "/tickets/{id}/comments", .guarded(comments.create)),
            Route(.get, path: "/tickets/{id}/activity", .guarded(comments.activity)),

            Route(.post, path: "/broadcasting/auth", .guarded(realtime.authorize)),
            Route(.post, path: "/broadcasting/user-auth", .guarded(realtime.authenticateUser)),

            Route(.get, path: "/users", .guarded(admin.users)),
            Route(.patch, path: "/users/{id}", .guarded(admin.updateUser)),
            Route(.get, path: "/stats", .guarded(admin.statistics)),
        ]
    }
}
