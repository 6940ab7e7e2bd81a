import Foundation
import GRDB
import GRDBSQLite
import Synchronization
import Testing

@testable import TicketAPI

/// What SQLite was asked by the servers under test, and how it finds the answers.
///
/// Every connection of this process is traced. When a harness ends, each statement that its server ran is explained: a
/// query that reads a whole table fails the test that ran it first.
enum QueryPlans {
    private struct Seen {
        /// By the name of the database's directory, from the moment at which its server had started.
        var statements: [String: Set<String>] = [:]
        var explained: Set<String> = []
    }

    private static let seen = Mutex(Seen())

    /// Indexes that a query may read from one end, and why.
    private static let readInOrder: [String: String] = [
        "tickets_by_creation": "a list in this order, until its page is full",
        "tickets_by_update": "a list in this order, until its page is full",
        "tickets_by_priority": "a list in this order, until its page is full",
        "tickets_by_status": "a list in this order, until its page is full",
        "tickets_by_category": "how many tickets there are at all: its pages are the fewest",
        "tickets_by_terms": "figures of all tickets",
        "first_responses_by_duration": "the median of all",
        "users_by_age": "the accounts in this order, until the page is full",
        "users_by_name": "the accounts in this order, until the page is full",
        "sqlite_autoindex_users_1": "the accounts by address, until the page is full",
        "outbox_by_ticket": "counted; at its start the relay takes up all that waits",
    ]
    /// Tables that are read in the order of their rows, and why.
    private static let readWhole: [String: String] = [
        "first_responses": "counted; a row is two numbers",
        "discarded_files": "a queue, read from its head",
        "outbox": "a queue, read from its head",
        "terminations": "a queue, read from its head",
        "sqlite_sequence": "a row for each table",
    ]
    /// GRDB's list of migrations, the schema, and FTS5's own settings.
    private static let notOurs: Set<String> = [
        "grdb_migrations", "sqlite_master", "main.search_config", "main.users_search_config",
    ]

    private static let isTracing = sqlite3_auto_extension(
        unsafeBitCast(Self.hook, to: (@convention(c) () -> Void).self))

    private static let hook: @convention(c) (OpaquePointer?, UnsafeRawPointer?, UnsafeRawPointer?) -> CInt = {
        connection, _, _ in
        sqlite3_trace_v2(
            connection, CUnsignedInt(SQLITE_TRACE_STMT),
            { _, _, statement, text in
                // The text of a trigger's statements is a comment.
                guard let statement, let text = text?.assumingMemoryBound(to: CChar.self), text[0] != CChar(45) else {
                    return 0
                }
                QueryPlans.note(OpaquePointer(statement))
                return 0
            }, nil)
    }

    private static func note(_ statement: OpaquePointer) {
        guard let file = sqlite3_db_filename(sqlite3_db_handle(statement), "main"), let sql = sqlite3_sql(statement)
        else { return }
        let directory = URL(fileURLWithPath: String(cString: file)).deletingLastPathComponent().lastPathComponent
        let text = String(cString: sql)
        self.seen.withLock { _ = $0.statements[directory]?.insert(text) }
    }

    /// To be called before the first connection is opened.
    static func trace(_ directory: String, _ isOn: Bool = true) {
        precondition(self.isTracing == SQLITE_OK)
        let name = URL(fileURLWithPath: directory).lastPathComponent
        self.seen.withLock { $0.statements[name] = isOn ? [] : nil }
    }

    /// Explains what was asked of the database in `directory`, unless another test's server asked the same.
    static func check(_ directory: String) throws {
        let name = URL(fileURLWithPath: directory).lastPathComponent
        let statements = self.seen.withLock { seen in
            let new = (seen.statements.removeValue(forKey: name) ?? []).subtracting(seen.explained)
            seen.explained.formUnion(new)
            return new.filter(self.isQuery)
        }
        guard !statements.isEmpty else { return }
        try self.open(directory) { db in
            for statement in statements {
                for fault in try self.faults(of: statement, db) {
                    Issue.record("\(fault): \(statement)")
                }
            }
        }
    }

    /// A connection of the test itself, whose statements are nobody's concern.
    static func open<T>(_ directory: String, _ body: (Database) throws -> T) throws -> T {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            try TicketSetFunctions.add(to: db)
            sqlite3_trace_v2(db.sqliteConnection, 0, nil, nil)
        }
        let queue = try DatabaseQueue(path: "\(directory)/tickets.sqlite", configuration: configuration)
        defer { try? queue.close() }
        return try queue.writeWithoutTransaction(body)
    }

    private static func isQuery(_ statement: String) -> Bool {
        ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "REPLACE"].contains { statement.hasPrefix($0) }
    }

    /// The steps in a statement's plan that read more than they need.
    static func faults(of statement: String, _ db: Database) throws -> [String] {
        let explanation = try db.makeStatement(sql: "EXPLAIN QUERY PLAN \(statement)")
        let parameters = Int(sqlite3_bind_parameter_count(explanation.sqliteStatement))
        let plan = try Row.fetchAll(
            explanation, arguments: StatementArguments(Array(repeating: DatabaseValue.null, count: parameters))
        ).map { $0["detail"] as String }
        let intermediate = Set(
            plan.filter { $0.hasPrefix("CO-ROUTINE ") || $0.hasPrefix("MATERIALIZE ") }
                .compactMap { $0.split(separator: " ").last.map(String.init) })
        return plan.filter { step in
            if step.contains("AUTOMATIC") { return true }
            let words = step.split(separator: " ").map(String.init)
            guard words.first == "SCAN", words.count > 1 else { return false }
            if intermediate.contains(words[1]) || self.notOurs.contains(words[1]) { return false }
            if step.contains("CONSTANT ROW") || (words.count == 2 && self.readWhole[words[1]] != nil) { return false }
            // A search for a word says M; a JSON list is the statement's own.
            if step.contains("VIRTUAL TABLE") { return words[1] != "json_each" && !step.contains(":M") }
            guard let index = words.firstIndex(of: "INDEX"), index + 1 < words.count else { return true }
            return self.readInOrder[words[index + 1]] == nil
        }
    }
}
