import Digests
import Foundation
import Logging
import PusherProtocol
import Testing

@testable import Webhooks

@Suite(.timeLimit(.minutes(3))) struct DeadLetterTests {
    private let directory: TemporaryDirectory
    private let log = RecordingLog()

    init() throws {
        self.directory = try TemporaryDirectory()
    }

    private func box(_ configure: (inout WebhookConfiguration) -> Void = { _ in }) -> DeadLetterBox {
        var configuration = WebhookConfiguration()
        configure(&configuration)
        let log = self.log
        return DeadLetterBox(
            directory: "\(self.directory.path)/dead-letters", configuration: configuration,
            logger: Logger(label: "test") { _ in log })
    }

    /// Letters of these sizes; each event in a queue has one number.
    private func drafts(_ sizes: [[Int]], url: String = "http://h/") -> [DeadLetterDraft] {
        sizes.flatMap { numbers in
            DeadLetterDraft.bundle(
                numbers.map { .init(json: Array(#"{"channel":"c\#($0)"}"#.utf8), arrival: .now, time: 5) },
                app: "4711", url: url, failure: "the queue was full")
        }
    }

    private func app(_ endpoints: WebhookEndpoint..., id: String = "4711") -> WebhookApp {
        WebhookApp(
            credentials: AppCredentials(id: id, key: "key-2", secret: AppSecret("secret-2")), endpoints: endpoints)
    }

    @Test("WH-31: letters are files of 0600 in a directory of 0700, in order, with no draft left")
    func files() async throws {
        let box = self.box()
        #expect(try await box.list().isEmpty)
        for draft in self.drafts((0..<20).map { [$0] }) { try await box.put(draft) }
        let letters = try await box.list()
        #expect(letters.map(\.body) == (0..<20).map { #"{"time_ms":5,"events":[{"channel":"c\#($0)"}]}"# })
        #expect(letters.allSatisfy { $0.createdMS == 5 && $0.attempts == 0 && $0.failure == "the queue was full" })
        #expect(try self.directory.files == letters.map { "\($0.id).json" })
        for (path, mode) in [("", 0o700)] + letters.map({ ("/\($0.id).json", 0o600) }) {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(self.directory.path)/dead-letters\(path)")
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == mode)
        }
    }

    @Test("WH-31: another process reads the same letters")
    func reopened() async throws {
        for draft in self.drafts([[1], [2]]) { try await self.box().put(draft) }
        #expect(try await self.box().list().count == 2)
    }

    @Test("WH-32: beyond 1,000 letters or their bytes the oldest are removed, with a line in the log")
    func bounded() async throws {
        #expect(WebhookConfiguration().maxDeadLetters == 1000 && WebhookConfiguration().maxDeadLetterBytes == 64 << 20)
        let box = self.box { $0.maxDeadLetters = 3 }
        for draft in self.drafts((0..<5).map { [$0] }) { try await box.put(draft) }
        #expect(try await box.list().map(\.body).map { $0.suffix(5) } == ["2\"}]}", "3\"}]}", "4\"}]}"])
        #expect(self.log.lines == Array(repeating: self.log.lines[0], count: 2))
        #expect(self.log.lines[0].contains("kept=3 removed=1"))

        let small = self.box { $0.maxDeadLetterBytes = 1 }
        try await small.put(try #require(self.drafts([[9]]).first))
        #expect(try await self.box().list().map(\.body).count == 1, "the newest stays")
    }

    @Test("WH-33: a letter can be removed, once, by nothing but its id")
    func removal() async throws {
        let box = self.box()
        try await box.put(try #require(self.drafts([[1]]).first))
        let id = try #require(try await box.list().first?.id)
        let outside = "\(self.directory.path)/1700000000000-0123abcd.json"
        try Data("{}".utf8).write(to: URL(filePath: outside))
        for wrong in ["../1700000000000-0123abcd", "", "\(id).json", "1700000000000-0123abcd", id.uppercased() + "x"] {
            #expect(try await box.remove(wrong) == false)
        }
        #expect(FileManager.default.fileExists(atPath: outside))
        #expect(try await box.remove(id))
        #expect(try await box.remove(id) == false)
        #expect(try await box.list().isEmpty)
    }

    @Test(
        "WH-34: a file that is no letter is reported and passed over, and can be removed",
        arguments: ["", "{", "{\"id\":\"hush\"}", "copy"])
    func corrupted(content: String) async throws {
        let box = self.box()
        try await box.put(try #require(self.drafts([[1]]).first))
        let letter = try #require(try await box.list().first)
        let folder = URL(filePath: "\(self.directory.path)/dead-letters")
        var bytes = Data(content.utf8)
        if content == "copy" { bytes = try Data(contentsOf: folder.appending(path: "\(letter.id).json")) }
        try bytes.write(to: folder.appending(path: "1700000000000-0123abcd.json"))
        try Data("note".utf8).write(to: folder.appending(path: "README"))
        #expect(try await box.list() == [letter])
        #expect(self.log.lines.count == 1)
        #expect(self.log.lines[0].contains("1700000000000-0123abcd") && !self.log.lines[0].contains("hush"))
        #expect(try await box.remove("1700000000000-0123abcd"))
    }

    @Test("WH-31: a draft that a killed process left is no letter, and is swept when it is old")
    func leftDraft() async throws {
        let box = self.box()
        try await box.put(try #require(self.drafts([[1]]).first))
        let draft = "\(self.directory.path)/dead-letters/.1700000000000-0123abcd.draft"
        try Data("{".utf8).write(to: URL(filePath: draft))
        #expect(try await box.list().count == 1)
        #expect(FileManager.default.fileExists(atPath: draft))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -120)], ofItemAtPath: draft)
        #expect(try await box.list().count == 1)
        #expect(!FileManager.default.fileExists(atPath: draft))
    }

    @Test("WH-31: a letter holds at most a thousand events, in order")
    func bundles() {
        let drafts = self.drafts([Array(0..<2500)])
        #expect(drafts.count == 3)
        #expect(drafts.map { $0.body.components(separatedBy: "channel").count - 1 } == [1000, 1000, 500])
        let large = EndpointQueue.Event(json: Array(repeating: 0x20, count: 3 << 20), arrival: .now, time: 1)
        #expect(DeadLetterDraft.bundle([large, large], app: "a", url: "u", failure: "").count == 2)
    }

    @Test("WH-35, P156: a replay sends the same events with a new time and the present secret, and removes the letter")
    func replay() async throws {
        let receiver = try await Receiver()
        let box = self.box()
        try await box.put(try #require(self.drafts([Array(0..<3)], url: receiver.url).first))
        let letter = try #require(try await box.list().first)
        let endpoint = try WebhookEndpoint(url: receiver.url, headers: [("X-Team", "support")])
        try await box.replay(letter, app: self.app(endpoint))
        #expect(receiver.requests.count == 3)
        for (number, request) in receiver.requests.enumerated() {
            let time = try body(request.body.replacing("{\"channel", with: "{\"name\":\"x\",\"channel")).time_ms
            #expect(request.body == #"{"time_ms":\#(time),"events":[{"channel":"c\#(number)"}]}"#)
            #expect(time >= letter.givenUpMS)
            #expect(request.values("X-Pusher-Key") == ["key-2"])
            #expect(request.values("X-Pusher-Signature") == [AppSecret("secret-2").sign(request.body).hex])
            #expect(request.values("X-Team") == ["support"])
        }
        #expect(try await box.list().isEmpty)
    }

    @Test("WH-35: a replay to an endpoint that batches sends up to 20 events in a request")
    func batchedReplay() async throws {
        let receiver = try await Receiver()
        let box = self.box()
        try await box.put(try #require(self.drafts([Array(0..<45)], url: receiver.url).first))
        try await box.replay(
            try #require(try await box.list().first),
            app: self.app(try WebhookEndpoint(url: receiver.url, batches: true)))
        #expect(receiver.requests.map { $0.body.components(separatedBy: "channel").count - 1 } == [20, 20, 5])
    }

    @Test("WH-36: a replay that is refused keeps the letter, with the events that were not accepted")
    func refusedReplay() async throws {
        let receiver = try await Receiver { _, count in .status(count == 2 ? 500 : 200) }
        let box = self.box()
        try await box.put(try #require(self.drafts([Array(0..<4)], url: receiver.url).first))
        let letter = try #require(try await box.list().first)
        let app = self.app(try WebhookEndpoint(url: receiver.url))
        let failure = await #expect(throws: ReplayFailure.self) { try await box.replay(letter, app: app) }
        #expect(failure?.description.hasSuffix("did not accept letter \(letter.id): status 500") == true)
        let kept = try #require(try await box.list().first)
        #expect(kept.id == letter.id)
        #expect(kept.body == #"{"time_ms":5,"events":[{"channel":"c2"},{"channel":"c3"}]}"#)
        try await box.replay(kept, app: app)
        #expect(try await box.list().isEmpty)
        #expect(receiver.requests.count == 5)
    }

    @Test("WH-37: a replay without an endpoint of that URL, for another app, or of no webhook's body says so")
    func impossibleReplay() async throws {
        let box = self.box()
        try await box.put(try #require(self.drafts([[1]], url: "http://h/?token=hush").first))
        let letter = try #require(try await box.list().first)
        let endpoint = try WebhookEndpoint(url: "http://h/?token=hush")
        let gone = await #expect(throws: ReplayFailure.self) { try await box.replay(letter, app: self.app()) }
        #expect(gone?.description.contains("has no webhook with the URL") == true)
        #expect(gone?.description.contains("hush") == false)
        let other = await #expect(throws: ReplayFailure.self) {
            try await box.replay(letter, app: self.app(endpoint, id: "2"))
        }
        #expect(other?.description.contains("of app 4711, not of app 2") == true)
        for body in ["", "[]", "{\"events\":{}}", "{\"events\":[]}", "{\"events\":[1"] {
            let broken = letter.with(body: body)
            let failure = await #expect(throws: ReplayFailure.self) {
                try await box.replay(broken, app: self.app(endpoint))
            }
            #expect(failure?.description.contains("not that of a webhook") == true)
        }
        #expect(try await box.list() == [letter])
    }
}

extension DeadLetter {
    fileprivate func with(body: String) -> DeadLetter {
        var letter = self
        letter.body = body
        return letter
    }
}
