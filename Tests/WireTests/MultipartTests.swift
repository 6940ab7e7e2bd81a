import Testing
import Wire

@Suite struct MultipartTests {
    private struct Part: Equatable {
        var name: String
        var fileName: String?
        var text = ""
    }

    private static let contentType = "multipart/form-data; boundary=b"

    /// The parts of a body that comes in pieces of `size` bytes.
    private func parse(
        _ body: String, contentType: String = contentType, size: Int = .max
    ) throws(MultipartFailure) -> [Part] {
        var parser = try MultipartParser(contentType: contentType)
        var parts: [Part] = []
        var bytes: [UInt8] = []
        var rest = Array(body.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            let events = try piece.withUnsafeBytes { piece in
                Result { () throws(MultipartFailure) in try parser.parse(piece) }
            }.get()
            for event in events {
                switch event {
                case .partBegan(let head):
                    parts.append(Part(name: head.name, fileName: head.fileName))
                    bytes = []
                case .bytes(let some): bytes += some
                case .partEnded: parts[parts.count - 1].text = String(decoding: bytes, as: UTF8.self)
                }
            }
        }
        try parser.finish()
        return parts
    }

    private func part(_ disposition: String, _ text: String = "") -> String {
        "--b\r\nContent-Disposition: \(disposition)\r\n\r\n\(text)\r\n"
    }

    @Test("HTTP-17: a form's parts are the same however its bytes are cut")
    func pieces() throws {
        let nearly = "\r\n--\r\n--a\r\r\n-\r\n\r\n--B--\r\n"
        let body =
            "preamble\r\n" + self.part("form-data; name=\"a\"", "1") + self.part("form-data; name=\"a\"", nearly)
            + "--b \t\r\ncontent-disposition: form-data; name=f; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\n"
            + "\r\n--b--\r\nepilogue\r\n--b\r\n"
        let expected = [
            Part(name: "a", text: "1"), Part(name: "a", text: nearly), Part(name: "f", fileName: "x.png"),
        ]
        for size in 1...body.utf8.count { #expect(try self.parse(body, size: size) == expected) }
        #expect(try self.parse("--b--") == [])
    }

    @Test(
        "HTTP-17: names are read as browsers and libraries write them",
        arguments: [
            (#"form-data; name="a"; filename="b.png""#, "a", "b.png"),
            (#"form-data;name=a;filename=b.png;"#, "a", "b.png"),
            (#"Form-Data; NAME="a"; FileName="b""#, "a", "b"), (#"form-data; name="a"; filename="""#, "a", ""),
            (#"form-data; name="a"; filename="a%22b%0D%0Ac%41""#, "a", "a\"b\r\nc%41"),
            (#"form-data; name="a"; filename="a\"b\\c""#, "a", #"a"b\c"#),
            (#"form-data; name="a"; filename="C:\dir\file; x.pdf""#, "a", #"C:\dir\file; x.pdf"#),
            (#"form-data; name="a"; filename="rates"; filename*=UTF-8''%e2%82%ac%20rates"#, "a", "€ rates"),
            (#"form-data; name="a"; filename*=utf-8'en'%c3%a4"#, "a", "ä"),
            (#"form-data; name="a"; filename="x"; filename*=UTF-8''%ff"#, "a", "x"),
            (#"form-data; name="é"; filename="é""#, "é", "é"),
            ("form-data; name=\"a\"; filename=\"a\u{1}\u{7F}.png\"", "a", "a\u{1}\u{7F}.png"),
            (#"form-data; name="""#, "", nil),
        ] as [(String, String, String?)])
    func names(_ disposition: String, _ name: String, _ fileName: String?) throws {
        let body = self.part(disposition) + "--b--\r\n"
        #expect(try self.parse(body) == [Part(name: name, fileName: fileName)])
    }

    @Test(
        "HTTP-17: a form that is cut off or ambiguous is refused",
        arguments: [
            "", "--b", "--b\r\n", "--b-", "--c--", "b--", " --b--", "--bb--\r\n", "--b-x", "--b x\r\n", "--b\n",
            "--b\rx",
            "--b\r\n\r\n\r\n--b--", "--b\r\nA\r\n\r\n\r\n--b--", "--b\r\nA : b\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\" b\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\"; name=\"b\"\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\"; filename*=x\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\"; filename*=UTF-8''%f\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\u{0}\"\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\rb\"\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data;\r\n name=\"a\"\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=a\nX: y\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\ntext--b--", "--b\nA: b\n\ntext\n--b--\n",
        ])
    func refusals(_ body: String) throws {
        let failure = try #require(#expect(throws: MultipartFailure.self) { try self.parse(body) })
        for size in 1...3 {
            #expect(throws: failure) { try self.parse(body, size: size) }
        }
    }

    @Test("HTTP-17: a part's head and the number of parts have limits")
    func limits() throws {
        let disposition = "form-data; name=\"a\"; x="
        let head = "Content-Disposition: \(disposition)\r\n\r\n".utf8.count
        let room = String(repeating: "x", count: MultipartParser.maxHeadBytes - head)
        #expect(try self.parse(self.part(disposition + room) + "--b--").count == 1)
        #expect(throws: MultipartFailure.self) { try self.parse(self.part(disposition + room + "x") + "--b--") }
        // Not only when it ends.
        var parser = try MultipartParser(contentType: Self.contentType)
        let endless = Array("--b\r\n".utf8) + [UInt8](repeating: 65, count: MultipartParser.maxHeadBytes + 1)
        #expect(throws: MultipartFailure.self) { try endless.withUnsafeBytes { _ = try parser.parse($0) } }

        let parts = String(repeating: self.part("form-data; name=a"), count: MultipartParser.maxParts)
        #expect(try self.parse(parts + "--b--").count == MultipartParser.maxParts)
        #expect(throws: MultipartFailure.self) { try self.parse(parts + self.part("form-data; name=a") + "--b--") }
    }

    @Test(
        "HTTP-17: a boundary has 1 to 70 of the allowed characters",
        arguments: [
            ("multipart/form-data; boundary=b", true), ("Multipart/Form-Data; charset=utf-8; Boundary=\"b\"", true),
            ("multipart/form-data; boundary=\(String(repeating: "a", count: 70))", true),
            ("multipart/form-data; boundary=\"'()+_,-./:=? 9\"", true),
            ("multipart/form-data; boundary=----=_Part_1", true),
            ("multipart/form-data; boundary=\(String(repeating: "a", count: 71))", false),
            ("multipart/form-data", false),
            ("multipart/form-data; boundary=", false), ("multipart/form-data; boundary=\"b", false),
            ("multipart/form-data; boundary=\"b \"", false), ("multipart/form-data; boundary=b; boundary=b", false),
            ("multipart/form-data; boundary=b\"", false), ("multipart/mixed; boundary=b", false), ("", false),
        ])
    func boundaries(_ contentType: String, _ isAllowed: Bool) {
        #expect(((try? MultipartParser(contentType: contentType)) != nil) == isAllowed)
    }
}
