/// Makes a name to show of the name that a client sent. It is never part of a path.
enum AttachmentName {
    /// In code points.
    private static let maxLength = 255
    /// What is behind the last dot of a name is kept when the name is cut, up to this length.
    private static let maxKeptExtension = 16

    /// The last part of a path of either kind, without control characters and without those that change the direction of
    /// text, by which `exe.jpg` can be made to look like `gpj.exe`; what is left of nothing is `attachment` with the
    /// type's extension.
    static func clean(_ name: String, type: AttachmentType) -> String {
        let base = name.unicodeScalars.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }.last ?? []
        var kept = base.filter { !self.isDropped($0) }.drop { $0.properties.isWhitespace }
        while let last = kept.last, last.properties.isWhitespace { kept.removeLast() }
        guard !kept.isEmpty, kept.contains(where: { $0 != "." }) else { return "attachment\(type.fileExtension)" }
        guard kept.count > self.maxLength else { return String(String.UnicodeScalarView(kept)) }
        let dot = kept.lastIndex(of: ".") ?? kept.endIndex
        var end = kept[dot...]
        if end.count > self.maxKeptExtension { end = [] }
        return String(String.UnicodeScalarView(kept.prefix(self.maxLength - end.count) + end))
    }

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Arabic letter mark, the two marks, line and paragraph separators and embeddings, isolates.
        case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: scalar.properties.generalCategory == .control
        }
    }
}
