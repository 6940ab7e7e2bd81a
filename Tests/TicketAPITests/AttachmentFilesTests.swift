import Foundation
import GRDB
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import TicketAPI

@Suite(.timeLimit(.minutes(3)))
struct AttachmentFilesTests {
    private static func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private static func wait(until isMet: () throws -> Bool) async throws {
        while try !isMet() { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("ATT-8: files have random names and are nobody else's to read")
    func permissions() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            _ = try await api.send(Form.ticket.file(Sample.png()), to: "/tickets", as: ada)
            let file = try #require(try api.files().first)
            #expect(file.wholeMatch(of: /[A-Za-z0-9]{32}/) != nil)
            #expect(try Self.mode("\(api.directory)/attachments") == 0o700)
            #expect(try Self.mode("\(api.directory)/attachments/\(file)") == 0o600)
        }
    }

    @Test("ATT-9: a deleted ticket's files go, those of its messages too, and no others")
    func deletion() async throws {
        try await TicketHarness.run { api in
            let (ada, root) = (try await api.customer("Ada"), try await api.admin())
            let ticket = try await api.send(Form.ticket.file(Sample.png()), to: "/tickets", as: ada)
            let id = ticket.json["data"]["id"].int ?? 0
            _ = try await api.send(Form().file(Sample.pdf()), to: "/tickets/\(id)/chat/messages", as: ada)
            let other = try await api.send(Form.ticket.file(Sample.jpeg()), to: "/tickets", as: ada)
            #expect(try api.files().count == 3)
            #expect(try await api.call(.DELETE, "/tickets/\(id)", token: root.token).status == 204)
            try await Self.wait { try api.files().count == 1 }
            let url = other.json["data"]["attachments"][0]["url"].string ?? ""
            #expect(try await api.download(url, as: ada).bytes == Sample.jpeg())
        }
    }

    @Test("ATT-9: what a crash left is removed at the start; files of attachments, and files that are not ours, stay")
    func leftovers() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.send(Form.ticket.file(Sample.png()), to: "/tickets", as: ada)
            let kept = try #require(try api.files().first)
            try await api.stop()
            let name = String(repeating: "x", count: 32)
            for file in [name, "\(name).part", "\(kept).part", "README", "x.part"] {
                try Data("x".utf8).write(to: URL(fileURLWithPath: "\(api.directory)/attachments/\(file)"))
            }
            // Deleted while no server ran, as the operator's commands do.
            let discarded = String(repeating: "y", count: 32)
            try TicketStore.withTables(dataDirectory: api.directory) {
                try $0.run("INSERT INTO discarded_files (file) VALUES (?)", [discarded])
            }
            try await api.start()
            #expect(try api.files() == [kept, "README", "x.part"].sorted())
            let url = ticket.json["data"]["attachments"][0]["url"].string ?? ""
            #expect(try await api.download(url, as: ada).bytes == Sample.png())
            try await Self.wait {
                try TicketStore.withTables(dataDirectory: api.directory) { try $0.discardedFiles(limit: 9) }.isEmpty
            }
        }
    }

    @Test("ATT-8: a request that ends early, or is refused at its end, leaves no file")
    func cutOff() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let body = Form.ticket.file(Sample.png(300_000)).file("attachments[]", Sample.png(300_000)).body
            let head =
                "POST /tickets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(ada.token)\r\n"
                + "Content-Type: \(Form.contentType)\r\nContent-Length: \(body.count)\r\n\r\n"
            // In the middle of a file, between files, before the last boundary.
            for count in [200_000, 450_000, body.count - 5] {
                let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                    .connect(host: "127.0.0.1", port: api.port).get()
                try await channel.writeAndFlush(ByteBuffer(bytes: Array(head.utf8) + body.prefix(count)))
                try await Self.wait { try !api.files().isEmpty }
                try await channel.close()
                try await Self.wait { try api.files().isEmpty }
            }
            let truncated = try await api.send(Array(body.dropLast(5)), to: "/tickets", as: ada)
            #expect(truncated.status == 400)
            #expect(try api.files() == [])
            // A transaction that fails: the schema refuses what the code lets through.
            try TicketStore.withTables(dataDirectory: api.directory) {
                try $0.db.execute(
                    sql: """
                        CREATE TRIGGER no AFTER INSERT ON attachments BEGIN SELECT RAISE(ABORT, 'no'); END;
                        """)
            }
            let failed = try await api.send(body, to: "/tickets", as: ada)
            #expect(failed.status == 500)
            #expect(try api.files() == [])
        }
    }

    @Test("HTTP-17, ATT-1: whatever is sent as a form is answered, leaves no file that nobody has, and ends nothing")
    func hostileForms() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let good = Form.ticket.file(Sample.png(5000)).body
            for round in 0..<300 {
                var body = good
                switch round % 4 {
                case 0: body = Array(body.prefix(Int.random(in: 0..<body.count)))
                case 1: for _ in 0..<5 { body[Int.random(in: 0..<body.count)] = UInt8.random(in: 0...255) }
                case 2: body.removeSubrange(Int.random(in: 0..<40)..<Int.random(in: 40..<500))
                default: body.insert(contentsOf: good.prefix(Int.random(in: 1..<600)), at: Int.random(in: 0..<600))
                }
                let before = try api.files().count
                let reply = try await api.send(body, to: "/tickets", as: ada)
                #expect([201, 400, 422].contains(reply.status), "\(reply.status) \(reply.text)")
                let stored = reply.status == 201 ? reply.json["data"]["attachments"].items.count : 0
                #expect(try api.files().count == before + stored)
            }
            #expect(try await api.call(.GET, "/up").status == 200)
        }
    }
}
