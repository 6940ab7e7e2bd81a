internal import FoundationEssentials
internal import Glibc
internal import GRDB

/// The file that holds the database, and how one knows that it is ours.
struct DatabaseFile {
    let path: String

    /// Stands in SQLite's header as `application_id`: "SWBT".
    static let applicationID: Int32 = 0x5357_4254

    init(path: String) {
        self.path = path
    }

    init(dataDirectory: String) {
        self.init(path: "\(dataDirectory)/tickets.sqlite")
    }

    /// Throws when there is no database of ours.
    func require() throws {
        guard FileManager.default.fileExists(atPath: self.path) else {
            throw StoreFailure("There is no database \(self.path).")
        }
        try self.verify()
    }

    /// Throws when another file has the database's place. Reads, and changes nothing.
    ///
    /// The identifier is read from the file and not by SQLite, which may write to any file that it opens. It is in the
    /// file since its first transaction, before the journal became a write-ahead log.
    func verify() throws {
        let header = try self.header()
        guard !header.isEmpty else { return }
        try self.verify(header)
    }

    /// Makes an empty database of ours unless there is one. Throws when another file has its place.
    func prepare() throws {
        let header = try self.header()
        guard header.isEmpty else { return try self.verify(header) }
        let queue = try DatabaseQueue(path: self.path)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA application_id = \(Self.applicationID)")
        }
        try queue.close()
    }

    /// Whose database it is; nil for a file that is none.
    func applicationID() throws -> Int32? {
        guard FileManager.default.fileExists(atPath: self.path) else {
            throw StoreFailure("There is no file \(self.path).")
        }
        return Self.applicationID(in: try self.header())
    }

    /// The first 100 bytes; fewer in a shorter file, none when there is no file.
    private func header() throws -> [UInt8] {
        guard FileManager.default.fileExists(atPath: self.path) else { return [] }
        guard let file = fopen(self.path, "rb") else {
            throw StoreFailure("The database \(self.path) cannot be read.")
        }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = fread(&bytes, 1, bytes.count, file)
        return Array(bytes.prefix(count))
    }

    private func verify(_ header: [UInt8]) throws {
        guard let identifier = Self.applicationID(in: header) else {
            throw StoreFailure("\(self.path) is not an SQLite database; nothing was changed.")
        }
        guard identifier == Self.applicationID else {
            throw StoreFailure("\(self.path) is a database of another application; nothing was changed.")
        }
    }

    /// SQLite's file format: the text at offset 0, the application id in four bytes from offset 68, big end first.
    private static func applicationID(in header: [UInt8]) -> Int32? {
        guard header.count == 100, header.starts(with: Array("SQLite format 3\0".utf8)) else { return nil }
        return header[68..<72].reduce(Int32(0)) { $0 << 8 | Int32($1) }
    }
}

/// The store cannot be opened. The text is one line for the operator.
package struct StoreFailure: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }

    /// Without the statement, which may have several lines.
    init(_ error: DatabaseError, _ file: DatabaseFile) {
        let cause = error.message ?? "SQLite error \(error.resultCode.rawValue)"
        self.init("The database \(file.path) cannot be used: \(cause).")
    }
}
