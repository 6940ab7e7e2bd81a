import AsyncHTTPClient
import Digests
import Foundation
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct AttachmentDownloadTests {
    /// A ticket of `account` with these bytes; the path of its file.
    private static func store(_ bytes: [UInt8], of account: TicketHarness.Account, in api: TicketHarness) async throws
        -> String
    {
        let reply = try await api.send(
            Form.ticket.file(bytes, fileName: "réport \u{2F}1.pdf;\u{27}x"), to: "/tickets", as: account)
        guard let url = reply.json["data"]["attachments"][0]["url"].string else { throw Unexpected(reply) }
        return url
    }

    /// Bytes of which no two pieces are alike.
    private static let bytes = Sample.pdf(9) + (0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7 ^ $0) }

    @Test("ATT-13: whoever sees the ticket gets the original bytes, as something to be saved; nobody else learns of it")
    func download() async throws {
        try await TicketHarness.run { api in
            let (ada, eve, root) = (
                try await api.customer("Ada"), try await api.customer("Eve"), try await api.admin()
            )
            let path = try await Self.store(Self.bytes, of: ada, in: api)
            for (account, prefix) in [(ada, ""), (ada, "/api"), (root, "")] {
                let file = try await api.download(prefix + path, as: account)
                #expect(file.status == 200 && file.bytes == Self.bytes)
                #expect(
                    file.headers.filter { $0.name.lowercased() != "date" && $0.name.lowercased() != "server" }
                        .map { "\($0.name.lowercased()): \($0.value)" }.sorted() == [
                            "accept-ranges: bytes", "cache-control: private, no-cache",
                            "content-disposition: attachment; filename=\"1.pdf__x\"; filename*=UTF-8''1.pdf%3B%27x",
                            "content-length: \(Self.bytes.count)", "content-security-policy: sandbox",
                            "content-type: application/pdf",
                            "etag: \"\(SHA256.digest(Self.bytes).hex)\"", "x-content-type-options: nosniff",
                        ])
            }
            let head = try await api.call(.HEAD, path, token: ada.token, headers: [("Range", "bytes=0-1")])
            #expect(head.status == 200 && head.text.isEmpty)
            #expect(head.headers.first(name: "Content-Length") == "\(Self.bytes.count)")
            #expect(try await api.call(.GET, path, token: eve.token).status == 404)
            #expect(try await api.call(.GET, "/attachments/99", token: root.token).status == 404)
            #expect(try await api.call(.GET, path).status == 401)
            #expect(try await api.call(.DELETE, path, token: root.token).status == 405)

            let ticket = try await api.ticket(of: ada)
            let message = try await api.send(
                Form().file(Sample.png()), to: "/tickets/\(ticket)/chat/messages", as: root)
            let other = message.json["data"]["attachments"][0]["url"].string ?? ""
            #expect(try await api.download(other, as: ada).bytes == Sample.png())
            #expect(try await api.call(.GET, other, token: eve.token).status == 404)
        }
    }

    @Test("ATT-14: one range is answered with it, several with the whole, none of the file with 416")
    func ranges() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let path = try await Self.store(Self.bytes, of: ada, in: api)
            let size = Self.bytes.count
            for (field, expected) in [
                ("bytes=0-0", 0..<1), ("bytes=100-70000", 100..<70_001), ("bytes=65536-", 65_536..<size),
                ("bytes=-100", size - 100..<size), ("bytes=-\(size + 5)", 0..<size), ("bytes=0-", 0..<size),
                ("Bytes= 5-6", 5..<7), ("bytes=\(size - 1)-\(size + 9)", size - 1..<size),
                ("bytes=7-99999999999999999999", 7..<size),
            ] {
                let part = try await api.download(path, as: ada, headers: [("Range", field)])
                #expect(part.status == 206 && part.bytes == Array(Self.bytes[expected]), "\(field)")
                #expect(
                    part.headers["Content-Range"]
                        == ["bytes \(expected.lowerBound)-\(expected.upperBound - 1)/\(size)"])
                #expect(part.headers["Content-Length"] == ["\(expected.count)"])
                #expect(part.headers["X-Content-Type-Options"] == ["nosniff"])
            }
            for field in [
                "bytes=0-1,5-6", "bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2", "bytes=1-2-3",
                "items=0-1", "x",
                "bytes=--1",
            ] {
                let whole = try await api.download(path, as: ada, headers: [("Range", field)])
                #expect(whole.status == 200 && whole.bytes == Self.bytes, "\(field)")
            }
            for field in ["bytes=\(size)-", "bytes=\(size)-\(size)", "bytes=-0", "bytes=99999999999999999999-"] {
                let none = try await api.download(path, as: ada, headers: [("Range", field)])
                #expect(none.status == 416 && none.headers["Content-Range"] == ["bytes */\(size)"], "\(field)")
            }
        }
    }

    @Test("ATT-15: the tag spares who has the bytes already, and guards a range of other bytes")
    func conditions() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let path = try await Self.store(Self.bytes, of: ada, in: api)
            let tag = "\"\(SHA256.digest(Self.bytes).hex)\""
            for known in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
                let same = try await api.download(
                    path, as: ada, headers: [("If-None-Match", known), ("Range", "bytes=0-1")])
                #expect(same.status == 304 && same.bytes.isEmpty && same.headers["ETag"] == [tag], "\(known)")
            }
            let changed = try await api.download(path, as: ada, headers: [("If-None-Match", "\"other\"")])
            #expect(changed.status == 200)
            for (condition, status) in [
                (tag, 206), ("W/\(tag)", 200), ("\"other\"", 200), ("Wed, 21 Oct 2015 07:28:00 GMT", 200),
            ] {
                let reply = try await api.download(
                    path, as: ada, headers: [("If-Range", condition), ("Range", "bytes=0-1")])
                #expect(reply.status == status, "\(condition)")
            }
        }
    }

    @Test("ATT-16: a file that is missing or cut is a 500 without a detail; the next request is answered")
    func missingFile() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let path = try await Self.store(Self.bytes, of: ada, in: api)
            let file = try api.files().map { "\(api.directory)/attachments/\($0)" }[0]
            try Data([1]).write(to: URL(fileURLWithPath: file))
            #expect(try await api.call(.GET, path, token: ada.token).status == 500)
            try FileManager.default.removeItem(atPath: file)
            let reply = try await api.call(.GET, path, token: ada.token)
            #expect(reply.status == 500 && reply.json == ["message": "Server Error"])
            #expect(try await api.call(.GET, "/user", token: ada.token).status == 200)
        }
    }

    @Test("ATT-17: a client that takes nothing of its file loses its connection, and the file is closed")
    func stalledReader() async throws {
        try await TicketHarness.run(configure: { $0.idleLimit = .seconds(2) }) { api in
            let ada = try await api.customer("Ada")
            let path = try await Self.store(Sample.png(2048 * 1024), of: ada, in: api)
            let file = try api.files()[0]
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .channelOption(.autoRead, value: false)
                .channelOption(.socketOption(.so_rcvbuf), value: 4096)
                .connect(host: "127.0.0.1", port: api.port).get()
            // More than the kernel keeps for a connection.
            let request = "GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(ada.token)\r\n\r\n"
            try await channel.writeAndFlush(ByteBuffer(string: String(repeating: request, count: 10)))
            let client = try #require(channel.localAddress?.port)
            #expect(try Self.isEstablished(from: api.port, to: client))
            try await Self.wait { try !Self.isEstablished(from: api.port, to: client) }
            try await Self.wait { !Self.isOpen(file) }
            try await channel.close()
        }
    }

    /// Whether the kernel knows of such a connection that its first end has not closed.
    private static func isEstablished(from: Int, to: Int) throws -> Bool {
        func hex(_ port: Int) -> String { ":" + String(String(port | 0x10000, radix: 16, uppercase: true).dropFirst()) }
        // The kernel gives it page by page, and a read that is short is not its end.
        let file = try #require(fopen("/proc/self/net/tcp", "r"))
        defer { fclose(file) }
        var page = [UInt8](repeating: 0, count: 64 * 1024)
        var bytes: [UInt8] = []
        while case let count = fread(&page, 1, page.count, file), count > 0 { bytes += page.prefix(count) }
        let connections = String(decoding: bytes, as: UTF8.self)
        return connections.split(separator: "\n").contains { line in
            let fields = line.split(separator: " ")
            return fields.count > 3 && fields[1].hasSuffix(hex(from)) && fields[2].hasSuffix(hex(to))
                && fields[3] == "01"
        }
    }

    /// Whether this process has a file of this name open.
    private static func isOpen(_ file: String) -> Bool {
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return descriptors.contains {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasSuffix(file) == true
        }
    }

    private static func wait(until isMet: () throws -> Bool) async throws {
        while try !isMet() { try await Task.sleep(for: .milliseconds(5)) }
    }
}
