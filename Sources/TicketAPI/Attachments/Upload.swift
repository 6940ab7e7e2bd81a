/// One file of a form, after it was received.
struct Upload: Sendable {
    enum Content: Sendable {
        /// It lies on the disk, to be kept or discarded.
        case received(NewAttachment)
        case refused(Refusal)
    }

    /// What is wrong with it; all of it.
    struct Refusal: Sendable {
        var isNoFile = false
        var isOfWrongType = false
        var isTooLarge = false
    }

    let field: Field
    let content: Content

    var file: NewAttachment? {
        if case .received(let file) = self.content { file } else { nil }
    }

    /// The form's fields that take files.
    enum Field: Sendable {
        /// `attachment`
        case attachment
        /// `attachments[]`, or with a number between the brackets.
        case attachments
        /// `attachment[]`: a list where one file belongs.
        case listOfAttachment
        /// `attachments`: one file where a list belongs.
        case singleAttachments

        /// Nil for every other name.
        init?(name: String) {
            switch name {
            case "attachment": self = .attachment
            case "attachments": self = .singleAttachments
            case _ where Self.isElement(name, of: "attachments"): self = .attachments
            case _ where Self.isElement(name, of: "attachment"): self = .listOfAttachment
            default: return nil
            }
        }

        static func isElement(_ name: String, of list: String) -> Bool {
            name.hasPrefix("\(list)[") && name.hasSuffix("]")
                && name.dropFirst(list.count + 1).dropLast().utf8.allSatisfy {
                    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                }
        }
    }
}
