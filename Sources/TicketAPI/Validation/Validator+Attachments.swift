extension Validator {
    /// The files of `attachment` and `attachments[]`, in this order; nil when one of them is refused, or there are more
    /// than five. `uploads` are the files of the form; of several in `attachment`, the last counts.
    mutating func attachments(_ uploads: [Upload]) -> [NewAttachment]? {
        var files: [NewAttachment] = []
        var isRefused = false
        func add(_ field: String, _ messages: [String]) {
            for message in messages { self.add(field, message) }
            isRefused = isRefused || !messages.isEmpty
        }

        let single = uploads.last { $0.field == .attachment }
        if let single { add("attachment", Self.messages("attachment", single, &files)) }
        if single == nil, self.isSent("attachment") || uploads.contains(where: { $0.field == .listOfAttachment }) {
            add("attachment", ["The attachment field must be a file."])
        }

        let list = uploads.filter { $0.field == .attachments }
        let texts = self.listedTexts
        if self.isSent("attachments") && !self.isList || uploads.contains(where: { $0.field == .singleAttachments }) {
            add("attachments", ["The attachments field must be an array."])
        }
        if (single == nil ? 0 : 1) + list.count + texts > Attachment.maxPerRequest {
            add("attachments", ["The attachments field must not have more than \(Attachment.maxPerRequest) items."])
        } else {
            for (index, upload) in list.enumerated() {
                add("attachments.\(index)", Self.messages("attachments.\(index)", upload, &files))
            }
            for index in list.count..<list.count + texts {
                add("attachments.\(index)", ["The attachments.\(index) field must be a file."])
            }
        }
        return isRefused ? nil : files
    }

    /// Whether an attachment was sent, be it a good one or not.
    func hasAttachments(_ uploads: [Upload]) -> Bool {
        !uploads.isEmpty || self.isSent("attachment") || self.isSent("attachments") || self.listedTexts > 0
    }

    private static func messages(_ field: String, _ upload: Upload, _ files: inout [NewAttachment]) -> [String] {
        switch upload.content {
        case .received(let file):
            files.append(file)
            return []
        case .refused(let refusal):
            var messages: [String] = []
            if refusal.isNoFile { messages.append("The \(field) field must be a file.") }
            if refusal.isOfWrongType { messages.append("The \(field) field must be a file of type: jpg, png, pdf.") }
            if refusal.isTooLarge { messages.append("The \(field) field must not be greater than 2048 kilobytes.") }
            return messages
        }
    }

    private func isSent(_ field: String) -> Bool {
        switch self.input[field] {
        case nil, .null, .list(0): false
        default: true
        }
    }

    private var isList: Bool {
        if case .list = self.input["attachments"] { true } else { false }
    }

    /// How many elements of `attachments` are no files: values of a JSON list, or text fields of a form.
    private var listedTexts: Int {
        if case .list(let count) = self.input["attachments"] { return count }
        return self.input.count { Upload.Field.isElement($0, of: "attachments") }
    }
}
