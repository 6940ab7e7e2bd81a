import Foundation
import GRDB
import NIOHTTP1
import PusherPublisher
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct StoreTests {
    /// Runs `body` with a path for a database in a directory of its own.
    private static func inDirectory(_ body: (String) async throws -> Void) async throws {
        let directory = try TicketHarness.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(directory)
    }

    private static func bind(_ directory: String, port: Int = 0) async throws {
        let configuration = TicketConfiguration(
            host: "127.0.0.1", port: port, dataDirectory: directory, credentials: RecordingBroker.credentials,
            publishTarget: .init(scheme: .http, host: "127.0.0.1", port: 9))
        _ = try await TicketServer.bind(configuration, logger: TicketHarness.logger)
    }

    @Test("OPS-2: a file that is no database is refused in one line and left as it is")
    func notADatabase() async throws {
        try await Self.inDirectory { directory in
            let path = "\(directory)/tickets.sqlite"
            for text in ["hello", String(repeating: "x", count: 5000)] {
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                await #expect { try await Self.bind(directory) } throws: {
                    "\($0)" == "\(path) is not an SQLite database; nothing was changed."
                }
                #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(text.utf8))
            }
        }
    }

    @Test("OPS-2: a database of another application is refused and left as it is")
    func foreignDatabase() async throws {
        try await Self.inDirectory { directory in
            let path = "\(directory)/tickets.sqlite"
            let queue = try DatabaseQueue(path: path)
            try await queue.write { try $0.execute(sql: "CREATE TABLE theirs (x)") }
            try queue.close()
            let before = try Data(contentsOf: URL(fileURLWithPath: path))
            await #expect { try await Self.bind(directory) } throws: {
                "\($0)" == "\(path) is a database of another application; nothing was changed."
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["tickets.sqlite"])
        }
    }

    @Test("OPS-2: a database of a newer version is refused")
    func newerDatabase() async throws {
        try await Self.inDirectory { directory in
            _ = try await Accounts.create(
                dataDirectory: directory, email: "a@b.c", name: nil, role: .admin, password: "long enough")
            let path = "\(directory)/tickets.sqlite"
            let queue = try DatabaseQueue(path: path)
            try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99: the future')") }
            try queue.close()
            await #expect { try await Self.bind(directory) } throws: {
                "\($0)" == "\(path) was made by a newer version; nothing was changed."
            }
        }
    }

    @Test("OPS-2: a directory that is not there, and a port in use, are said in one line")
    func operatorErrors() async throws {
        await #expect { try await Self.bind("/nonexistent") } throws: {
            "\($0)" == "The data directory /nonexistent cannot be written: No such file or directory."
        }
        try await TicketHarness.run { api in
            try await Self.inDirectory { directory in
                await #expect { try await Self.bind(directory, port: api.port) } throws: {
                    "\($0)" == "The ticket API cannot listen on 127.0.0.1:\(api.port): the port is in use."
                }
                let files = try FileManager.default.contentsOfDirectory(atPath: directory)
                #expect(files.isEmpty)
            }
            await #expect { try await Self.bind(api.directory) } throws: {
                "\($0)" == "Another ticket server uses the data directory \(api.directory)."
            }
        }
    }

    @Test("A commit is on the disk before its caller hears of it: SQLite waits for it (FULL)")
    func durability() async throws {
        try await Self.inDirectory { directory in
            let store = try TicketStore.open(dataDirectory: directory)
            let synchronous = try await store.write { try $0.row("PRAGMA synchronous", []) { $0[0] as Int64 } }
            #expect(synchronous == 2)
            try store.close()
        }
    }

    @Test("A write that throws leaves nothing; those in the same transaction stay")
    func isolation() async throws {
        struct Refused: Error {}
        try await Self.inDirectory { directory in
            let store = try TicketStore.open(dataDirectory: directory)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<100 {
                    group.addTask {
                        try? await store.write { tables in
                            _ = try tables.insertUser(
                                NewAccount(name: "n", email: "u\(index)@x.y", role: .admin, passwordHash: ""),
                                now: .now())
                            if index.isMultiple(of: 3) { throw Refused() }
                        }
                    }
                }
                try await group.waitForAll()
            }
            for index in 0..<100 {
                let isThere = try await store.read { try $0.hasUser(emailKey: "u\(index)@x.y") }
                #expect(isThere == !index.isMultiple(of: 3))
            }
            try store.close()
        }
    }

    @Test("When a shared transaction fails, a write that had failed for a reason of its own still gets that reason")
    func ownReasons() async throws {
        try await Self.inDirectory { directory in
            let store = try TicketStore.open(dataDirectory: directory)
            let gate = DispatchSemaphore(value: 0)
            let (calls, called) = AsyncStream.makeStream(of: Void.self)
            let answers = await withTaskGroup(of: String.self) { group in
                func add(_ body: @escaping @Sendable (Tables) throws -> Void) {
                    group.addTask {
                        called.yield()
                        do {
                            try await store.write(body)
                            return "done"
                        } catch TicketFailure.notFound {
                            return "not found"
                        } catch {
                            return "failed"
                        }
                    }
                }
                // Holds the writer until the others wait behind it.
                add { _ in gate.wait() }
                for _ in 0..<100 { add { _ in throw TicketFailure.notFound } }
                // Runs well, and fails when the transaction is committed.
                add { tables in
                    try tables.db.execute(
                        sql: """
                            PRAGMA defer_foreign_keys = ON;
                            INSERT INTO tokens (user_id, name, secret_sha256, created_at)
                            VALUES (99, 'x', zeroblob(32), 0);
                            """)
                }
                for await _ in calls.prefix(102) {}
                gate.signal()
                return await group.reduce(into: [:]) { $0[$1, default: 0] += 1 }
            }
            #expect(answers["not found"] == 100)
            #expect(answers["failed", default: 0] >= 1)
            try store.close()
        }
    }

    @Test("OPS-3: a full disk refuses the write, keeps what was stored, and writes again when there is room")
    func diskFull() async throws {
        try await Self.inDirectory { directory in
            let store = try TicketStore.open(dataDirectory: directory)
            let session = try await store.write { tables in
                let user = try tables.insertUser(
                    NewAccount(name: "n", email: "a@b.c", role: .customer, passwordHash: ""), now: .now())
                let token = try tables.openToken(
                    .token(name: nil), secret: AccessToken.Secret(), for: user.id, now: .now())
                return Session(user: user, tokenID: token.id, kind: .token)
            }
            let draft = TicketDraft(
                subject: "s", description: String(repeating: "x", count: 60_000), category: .general, priority: .low)
            let files = try AttachmentFiles(dataDirectory: directory)
            let open = OpenTicket(store: store, files: files, now: Timestamp.now)
            let kept = try await open(draft, by: session).ticket.id
            // SQLite's own limit gives the same error as the file system's.
            try await store.write { tables in
                let pages = try Int.fetchOne(tables.db, sql: "PRAGMA page_count") ?? 0
                try tables.db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
            }
            let failures = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        do {
                            _ = try await open(draft, by: session)
                            return false
                        } catch {
                            return TicketStore.isDiskFull(error)
                        }
                    }
                }
                return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(failures == 8)
            #expect(try await store.read { try $0.ticket(kept)?.subject } == "s")
            try await store.write { try $0.db.execute(sql: "PRAGMA max_page_count = 100000") }
            _ = try await open(draft, by: session)
            try await files.shutdown()
            try store.close()
        }
    }

    @Test(
        "HTTP-14: moments are ISO 8601 in UTC with microseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (951_782_399_999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_709_164_800_000_001, "2024-02-29T00:00:00.000001Z"),
            (1_767_225_599_000_000, "2025-12-31T23:59:59.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
        ])
    func timestamps(_ microseconds: Int64, _ text: String) {
        #expect(Timestamp(microseconds: microseconds).iso8601 == text)
    }

    @Test("Whoever else needs the connection that writes gets it although writes never cease to wait")
    func fairness() async throws {
        try await Self.inDirectory { directory in
            let store = try TicketStore.open(dataDirectory: directory)
            let turns = Turns()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        // A group of writes takes long enough for others to be waiting at its end. The bound ends what
                        // would not end by itself.
                        while !turns.areOver, turns.count < 2000 {
                            try await store.write { _ in
                                turns.take()
                                usleep(2000)
                            }
                        }
                    }
                }
                while turns.count < 16 { await Task.yield() }
                let before = turns.count
                _ = try await store.version()
                #expect(turns.count - before < 100)
                turns.end()
                try await group.waitForAll()
            }
            try store.close()
        }
    }
}
