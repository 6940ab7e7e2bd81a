extension Migrations {
    static let sessionsAndLiveConnections = """
        -- A session is a token that a browser keeps in a cookie.
        ALTER TABLE tokens ADD COLUMN kind TEXT NOT NULL DEFAULT 'token' CHECK (kind IN ('token', 'session'));
        ALTER TABLE tokens ADD COLUMN last_used_at INTEGER;
        CREATE INDEX tokens_by_age ON tokens (kind, created_at);
        CREATE INDEX tokens_by_use ON tokens (kind, coalesce(last_used_at, created_at));

        -- Keys of this installation, made here and known to nobody else.
        CREATE TABLE keys (
            purpose TEXT PRIMARY KEY CHECK (purpose IN ('csrf')),
            key BLOB NOT NULL CHECK (length(key) = 32)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO keys (purpose, key) VALUES ('csrf', randomblob(32));

        -- The broker's connections for which something was signed, by the token that asked for it. A token cannot be
        -- deleted before its connections: who loses the one loses the others.
        CREATE TABLE live_sockets (
            token_id INTEGER NOT NULL REFERENCES tokens (id),
            socket_id TEXT NOT NULL CHECK (length(socket_id) BETWEEN 3 AND 40),
            created_at INTEGER NOT NULL,
            PRIMARY KEY (token_id, socket_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX live_sockets_by_age ON live_sockets (created_at);

        -- What the broker still has to end: connections, or all subscriptions of channels; names with spaces between.
        -- Events that came into the outbox behind it (`after_event`) wait until it has.
        CREATE TABLE terminations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            after_event INTEGER NOT NULL,
            sockets TEXT NOT NULL,
            channels TEXT NOT NULL CHECK ((sockets = '') <> (channels = '')),
            -- Whether the clients are to come back.
            reconnects INTEGER NOT NULL CHECK (reconnects IN (0, 1)),
            -- Whose connections these all are, for servers that end those of a user only. The user may be gone.
            user_id INTEGER
        ) STRICT;
        """
}
