import PusherProtocol

// The fields of a request to the ticket API: an urlencoded form, a query, a JSON object; names of files and addresses.

private func isSame(_ first: InputValue?, _ second: InputValue?) -> Bool {
    switch (first, second) {
    case (.text(let first)?, .text(let second)?): first == second
    case (.null?, .null?), (nil, nil): true
    default: false
    }
}

private func check(_ value: InputValue?) {
    if case .text(let text)? = value { require(!text.isEmpty, "an empty text is null") }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = input(start, count)
    let text = String(decoding: bytes, as: UTF8.self)

    let pairs = FormCoding.pairs(text)
    require(pairs.count <= text.utf8.count(where: { $0 == UInt8(ascii: "&") }) + 1, "a pair ends at an ampersand")
    let form = Input(form: text)
    for pair in pairs { check(form[pair.name]) }
    let again = FormCoding.pairs(
        pairs.map { "\(FormCoding.encode($0.name))=\(FormCoding.encode($0.value))" }.joined(separator: "&"))
    require(again.elementsEqual(pairs, by: ==), "pairs are read as they are written")

    // A JSON text in an object and the same text in a form are one field.
    var writer = JSONWriter()
    writer.string(text)
    for name in ["content", "password"] {
        guard let json = try? Input(json: Array("{\"\(name)\":".utf8) + writer.bytes + Array("}".utf8)) else {
            fatalError("an object with a text is JSON")
        }
        require(isSame(json[name], Input(fields: [name: text])[name]), "a text is the same in JSON and in a form")
    }
    if let input = try? Input(json: bytes) {
        require(input.count { _ in true } <= Input.maxFields, "fields keep their limit")
        for name in ["a", "content", "subject"] { check(input[name]) }
    }

    let name = AttachmentName.clean(text, type: .png)
    require((1...255).contains(name.unicodeScalars.count), "a file's name keeps its limit")
    require(!name.unicodeScalars.contains { $0 == "/" || $0 == "\\" || $0.value < 32 }, "a file's name is no path")
    if EmailAddress.isValid(text) {
        require(text.utf8.count(where: { $0 == UInt8(ascii: "@") }) == 1, "an address has one @")
        require(text.utf8.count <= 318 && !text.contains(where: \.isWhitespace), "an address keeps its limit")
    }
    return 0
}
