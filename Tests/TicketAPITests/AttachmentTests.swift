import Digests
import Foundation
import NIOCore
import NIOHTTP1
import Testing

@Suite(.timeLimit(.minutes(3)))
struct AttachmentTests {
    @Test("ATT-1, ATT-10: a ticket takes a file and a list of files, and shows them everywhere; EVT-5 is without them")
    func ticket() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let form = Form.ticket.file("attachment", Sample.png(), fileName: "a.png")
                .file("attachments[]", Sample.jpeg(100), fileName: "b.jpg")
                .file("attachments[7]", Sample.pdf(), fileName: "c.pdf")
            let reply = try await api.send(form, to: "/api/tickets", as: ada)
            #expect(reply.status == 201, "\(reply.text)")
            let files = reply.json["data"]["attachments"].items
            #expect(files.map { $0["name"] } == ["a.png", "b.jpg", "c.pdf"])
            #expect(files.map { $0["mime_type"] } == ["image/png", "image/jpeg", "application/pdf"])
            #expect(files.map { $0["size"] } == [64, 100, 64])
            for file in files {
                #expect(file.keys == ["id", "name", "mime_type", "size", "url"])
                #expect(file["url"].string == "/attachments/\(file["id"].int ?? 0)")
            }
            let id = reply.json["data"]["id"].int ?? 0
            let without = try await api.ticket(of: ada)
            let shown = try await api.call(.GET, "/tickets/\(id)", token: ada.token)
            #expect(shown.json["data"]["attachments"].items == files)
            let changed = try await api.call(.PATCH, "/tickets/\(id)", token: ada.token, json: #"{"priority":"High"}"#)
            #expect(changed.json["data"]["attachments"].items == files)
            let list = try await api.call(.GET, "/tickets?sort=created_at", token: ada.token)
            #expect(list.json["data"].items.map { $0["attachments"].items } == [files, []])
            #expect(list.json["data"][1]["id"].int == without)
        }
    }

    @Test("ATT-1: file fields of other names, and files where none are taken, are read over")
    func otherFields() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let form = Form.ticket.file("avatar", Sample.png()).file("subject2", Array("x".utf8))
            let reply = try await api.send(form, to: "/tickets", as: ada)
            #expect(reply.status == 201 && reply.json["data"]["attachments"] == [])
            let id = reply.json["data"]["id"].int ?? 0
            // HTTP-3 and HTTP-2 for this kind of form.
            let change = Form().file("attachment", Sample.png()).text("_method", "PATCH").text("subject", " New ")
            let changed = try await api.send(change, to: "/tickets/\(id)", as: ada)
            #expect(changed.status == 200 && changed.json["data"]["subject"] == "New")
            #expect(changed.json["data"]["attachments"] == [])
            let login = Form().text("email", ada.email).text("password", "long enough")
            #expect(try await api.send(login, to: "/login", as: nil).status == 200)
            let refused = try await api.send(form.text("_method", "DELETE"), to: "/tickets", as: ada)
            #expect(refused.status == 405)
            #expect(try api.files() == [])
        }
    }

    @Test("ATT-2, ATT-3, ATT-4: what is no file of an allowed type and size is refused in Laravel's words")
    func refusals() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let type = "The attachment field must be a file of type: jpg, png, pdf."
            let size = "The attachment field must not be greater than 2048 kilobytes."
            let file = "The attachment field must be a file."
            let html = Array("<html><script>alert(1)</script>".utf8)
            let cases: [(Form, [String: [String]])] = [
                (Form().file(html), ["attachment": [type]]),
                (Form().file(Array("GIF89a".utf8) + Sample.png()), ["attachment": [type]]),
                (Form().file(Array(Sample.png().prefix(23))), ["attachment": [type]]),
                (Form().file([0xFF, 0xD8, 0xFF]), ["attachment": [type]]),
                (Form().file([0xFF, 0xD8, 0xFF, 0x00] + html), ["attachment": [type]]),
                (Form().file(Array("\n%PDF-1.7".utf8)), ["attachment": [type]]),
                (Form().file(Array("%PDF-html".utf8)), ["attachment": [type]]),
                (Form().file(Sample.png(2048 * 1024 + 1)), ["attachment": [size]]),
                (Form().file(Array("x".utf8) + Sample.png(2048 * 1024)), ["attachment": [type, size]]),
                (Form().file([]), ["attachment": [file]]), (Form().text("attachment", "x"), ["attachment": [file]]),
                (Form().file("attachment[]", Sample.png()), ["attachment": [file]]),
                (
                    Form().file("attachments", Sample.png()),
                    ["attachments": ["The attachments field must be an array."]]
                ),
                (
                    Form().file("attachments[]", Sample.png()).file("attachments[]", html),
                    ["attachments.1": ["The attachments.1 field must be a file of type: jpg, png, pdf."]]
                ),
                (
                    Form().text("attachments[]", "x"),
                    ["attachments.0": ["The attachments.0 field must be a file."]]
                ),
                (
                    (0..<6).reduce(Form()) { form, _ in form.file("attachments[]", Sample.png()) },
                    ["attachments": ["The attachments field must not have more than 5 items."]]
                ),
                (
                    (0..<30).reduce(Form().file(Sample.png())) { form, _ in form.file("attachments[]", Sample.png()) },
                    ["attachments": ["The attachments field must not have more than 5 items."]]
                ),
            ]
            let ticket = try await api.ticket(of: ada)
            for (form, errors) in cases {
                let whole = Form.ticket.appending(form)
                for (path, body) in [("/tickets", whole), ("/tickets/\(ticket)/chat/messages", form)] {
                    let reply = try await api.send(body, to: path, as: ada)
                    #expect(reply.status == 422, "\(reply.text) \(errors)")
                    #expect(
                        reply.json["errors"]
                            == .object(errors.mapValues { .array($0.map { .string($0) }) }), "\(reply.text)")
                }
            }
            for (json, field) in [
                (#""attachment":"x""#, "attachment"), (#""attachment":["x"]"#, "attachment"),
                (#""attachments":"x""#, "attachments"),
                (#""attachments":[{}]"#, "attachments.0"),
            ] {
                let reply = try await api.call(
                    .POST, "/tickets/\(ticket)/chat/messages", token: ada.token, json: "{\"content\":\"x\",\(json)}")
                #expect(reply.status == 422 && reply.json["errors"].keys == [field], "\(reply.text)")
            }
            for json in [#""attachment":null"#, #""attachments":[]"#, #""attachments":null"#] {
                let reply = try await api.call(
                    .POST, "/tickets/\(ticket)/chat/messages", token: ada.token, json: "{\"content\":\"x\",\(json)}")
                #expect(reply.status == 201, "\(reply.text)")
            }
            #expect(try api.files() == [])
            // The largest, and as many of them as there may be.
            let five = (0..<5).reduce(Form.ticket) { form, _ in form.file("attachments[]", Sample.pdf(2048 * 1024)) }
            #expect(try await api.send(five, to: "/tickets", as: ada).status == 201)
            #expect(try api.files().count == 5)
            // A file field that was left empty.
            let empty = try await api.send(Form.ticket.file([], fileName: ""), to: "/tickets", as: ada)
            #expect(empty.status == 201 && empty.json["data"]["attachments"] == [])
        }
    }

    @Test(
        "ATT-5: a name is shown without its path and without characters that could deceive",
        arguments: [
            ("../../etc/passwd", "passwd"), (#"C:\Users\ada\shot.png"#, "shot.png"), ("a\u{202E}gpj.exe", "agpj.exe"),
            ("a%0D%0AX-Evil: 1.png", "aX-Evil: 1.png"), ("  a b.png ", "a b.png"), ("..", "attachment.png"),
            ("dir/", "attachment.png"), ("\u{1}\u{7F}", "attachment.png"), ("a\u{7}.png", "a.png"),
            ("a%22b.png", "a\"b.png"), ("日本.png", "日本.png"),
            (String(repeating: "é", count: 300) + ".png", String(repeating: "é", count: 251) + ".png"),
        ])
    func names(_ sent: String, _ shown: String) async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let sentForm = Form.ticket.file(Sample.png(), fileName: sent.replacing(#"\"#, with: #"\\"#))
            let reply = try await api.send(sentForm, to: "/tickets", as: ada)
            let file = reply.json["data"]["attachments"][0]
            #expect(file["name"].string == shown, "\(reply.text)")
            // HTTP's fields stay its own, and nothing but files of random names is in the directory.
            let download = try await api.download(file["url"].string ?? "", as: ada)
            #expect(download.bytes == Sample.png())
            #expect(download.headers["X-Evil"].isEmpty)
            #expect(download.headers.first(name: "Content-Disposition")?.hasPrefix("attachment; filename=\"") == true)
            #expect(try api.files().allSatisfy { $0.utf8.count == 32 })
        }
    }

    @Test("ATT-6: a body with files has at most 11 MiB, its text fields 1 MiB; a body without stays at 1 MiB")
    func bodyLimits() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            func head(_ path: String, _ length: Int) -> String {
                "POST \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(ada.token)\r\n"
                    + "Content-Type: \(Form.contentType)\r\nContent-Length: \(length)\r\n\r\n"
            }
            for (path, length) in [
                ("/tickets", (11 << 20) + 1), ("/login", (1 << 20) + 1), ("/broadcasting/auth", 2 << 20),
            ] {
                let answer = try await RawRequest.send(head(path, length), port: api.port)
                #expect(answer.hasPrefix("HTTP/1.1 413 "), "\(path)")
            }
            let long = Form.ticket.file(Sample.png()).text("x", String(repeating: "x", count: 1 << 20))
            #expect(try await api.send(long, to: "/tickets", as: ada).status == 413)
            #expect(try api.files() == [])
        }
    }

    @Test("ATT-7: who may not post is told so before a byte of the body is there")
    func beforeTheBody() async throws {
        try await TicketHarness.run { api in
            let (ada, eve) = (try await api.customer("Ada"), try await api.customer("Eve"))
            let ticket = try await api.ticket(of: ada)
            for (path, token, status) in [
                ("/tickets", "1|nobody", "401"), ("/tickets/\(ticket)/chat/messages", "1|nobody", "401"),
                ("/tickets/\(ticket)/chat/messages", eve.token, "404"),
                ("/tickets/999/chat/messages", ada.token, "404"),
            ] {
                for length in [10_000_000, 1_000_000_000] {
                    let answer = try await RawRequest.send(
                        "POST \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                            + "Content-Type: \(Form.contentType)\r\nContent-Length: \(length)\r\n\r\n", port: api.port)
                    #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(path)")
                }
            }
            #expect(try api.files() == [])
        }
    }

    @Test("ATT-11, EVT-3: a message may be a file without text; it is shown and published with its files")
    func message() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let ticket = try await api.ticket(of: ada)
            let path = "/tickets/\(ticket)/chat"
            let bare = try await api.send(Form().file(Sample.png()), to: "\(path)/messages", as: ada)
            #expect(bare.status == 201 && bare.json["data"]["content"] == nil)
            #expect(bare.json["data"]["attachments"].items.count == 1)
            let both = try await api.send(
                Form().text("content", "see").file("attachments[]", Sample.pdf()).file("attachments[]", Sample.jpeg()),
                to: "\(path)/messages", as: ada)
            #expect(both.json["data"]["content"] == "see" && both.json["data"]["attachments"].items.count == 2)
            let none = try await api.send(Form().text("content", " "), to: "\(path)/messages", as: ada)
            #expect(none.status == 422)
            #expect(
                none.json["errors"]
                    == ["content": ["The content field is required when attachment is not present."]])
            _ = try await api.post("plain", to: ticket, as: ada)

            let chat = try await api.call(.GET, path, token: ada.token)
            #expect(chat.json["messages"].items.prefix(2) == [bare.json["data"], both.json["data"]])
            #expect(chat.json["messages"][2]["attachments"] == [])
            await api.broker.wait { $0.events.count { $0.name == "NewMessage" } == 3 }
            let events = api.broker.events.filter { $0.name == "NewMessage" }
            #expect(events.map { $0.json["message"] } == chat.json["messages"].items)
            // Those of its messages are not the ticket's own.
            let shown = try await api.call(.GET, "/tickets/\(ticket)", token: ada.token)
            #expect(shown.json["data"]["attachments"] == [])
        }
    }

    @Test("EVT-7, ATT-5: five files of the longest names fit into an event, without the longest text")
    func largestEvent() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let name = String(repeating: "😀", count: 251) + ".png"
            let form = (0..<5).reduce(Form().text("content", String(repeating: "x", count: 5000))) { form, _ in
                form.file("attachments[]", Sample.png(), fileName: name)
            }
            let path = "/tickets/\(try await api.ticket(of: ada))/chat/messages"
            let reply = try await api.send(form, to: path, as: ada)
            #expect(reply.status == 201)
            await api.broker.wait { $0.events.contains { $0.name == "NewMessage" } }
            let event = try #require(api.broker.events.last)
            #expect(event.data.utf8.count <= 10_240)
            #expect(event.json["message"]["truncated"] == true && event.json["message"]["content"] == nil)
            #expect(event.json["message"]["attachments"] == reply.json["data"]["attachments"])
        }
    }

    @Test("ATT-12: a key stands for the text and the files; a repeated request stores none of them again")
    func idempotency() async throws {
        try await TicketHarness.run { api in
            let ada = try await api.customer("Ada")
            let path = "/tickets/\(try await api.ticket(of: ada))/chat/messages"
            func post(_ form: Form) async throws -> TicketHarness.Reply {
                try await api.send(form, to: path, as: ada, headers: [("Idempotency-Key", "k")])
            }
            let first = try await post(Form().text("content", "a").file(Sample.png()))
            #expect(first.status == 201)
            let stored = try api.files()
            let again = try await post(Form().file(Sample.png()).text("content", "a"))
            #expect(again.status == 201 && again.text == first.text)
            #expect(again.headers.first(name: "Idempotency-Replayed") == "true")
            for other in [
                Form().text("content", "a").file(Sample.png(fill: 1)), Form().text("content", "a"),
                Form().file(Sample.png()),
                Form().text("content", "a").file(Sample.png()).file("attachments[]", Sample.png()),
                Form().text("content", "a").file(Sample.png(), fileName: "b.png"),
            ] {
                let reply = try await post(other)
                #expect(reply.status == 422 && reply.json["errors"].keys == ["idempotency_key"], "\(reply.text)")
            }
            #expect(try api.files() == stored && stored.count == 1)
        }
    }
}

extension TicketHarness {
    /// The names in the directory of attachments.
    func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(self.directory)/attachments").sorted()
    }
}
