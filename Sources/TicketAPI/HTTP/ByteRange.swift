/// Which bytes of a file a request's `Range` asks for (RFC 9110 section 14).
enum ByteRange: Equatable {
    /// All of them: there is no `Range`, or one that is not understood, or several. Answering those with the whole is
    /// allowed, and costs no second format.
    case whole
    case part(Range<Int64>)
    /// None of them is in the file.
    case unsatisfiable

    /// - Parameter size: the file's bytes; at least one.
    init(_ field: String?, size: Int64) {
        self = .whole
        guard let field, field.prefix(6).lowercased() == "bytes=" else { return }
        let ends = field.dropFirst(6).filter { $0 != " " && $0 != "\t" }
            .split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return }
        switch (Self.number(ends[0]), Self.number(ends[1])) {
        case (let first?, let last) where last != nil || ends[1].isEmpty:
            // What ends before it begins is not understood.
            guard last.map({ first <= $0 }) ?? true else { return }
            self = first < size ? .part(first..<min(last ?? size, size - 1) + 1) : .unsatisfiable
        case (nil, let count?) where ends[0].isEmpty:
            self = count > 0 ? .part(max(0, size - count)..<size) : .unsatisfiable
        default: break
        }
    }

    /// The number that the digits say, or one that is larger than every file.
    private static func number(_ digits: Substring) -> Int64? {
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int64(digits) ?? .max
    }
}
