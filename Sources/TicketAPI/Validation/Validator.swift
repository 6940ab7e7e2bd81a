/// Reads fields and collects what is wrong with them, in Laravel's words.
///
/// Each reader returns nil when the field is absent or wrong. Read all fields, then call `finish()`: it throws unless
/// everything was right.
struct Validator {
    /// Characters of a new password at least.
    static let newPasswordMin = 8

    let input: Input
    private(set) var errors = ValidationErrors()

    init(_ input: Input) {
        self.input = input
    }

    func finish() throws(TicketFailure) {
        guard self.errors.isEmpty else { throw .invalid(self.errors) }
    }

    /// `value` if everything was right; for a use case that looks at other things first. A nil value is an error that
    /// was collected.
    func checked<T>(_ value: T?) -> Result<T, TicketFailure> {
        guard self.errors.isEmpty, let value else { return .failure(.invalid(self.errors)) }
        return .success(value)
    }

    mutating func add(_ field: String, _ message: String) {
        self.errors.add(field, message)
    }

    /// A text that must be there, of `min` to `max` code points.
    mutating func text(_ field: String, min: Int = 1, max: Int = .max) -> String? {
        switch self.input[field] {
        case nil, .null:
            self.add(field, "The \(Self.label(field)) field is required.")
            return nil
        case .text(let text):
            return self.checked(text, field, min: min, max: max)
        case .integer, .bool, .list, .other:
            self.add(field, "The \(Self.label(field)) field must be a string.")
            return nil
        }
    }

    /// Whether the field is missing or null.
    func isBlank(_ field: String) -> Bool {
        switch self.input[field] {
        case nil, .null: true
        default: false
        }
    }

    /// A text that may be missing or null.
    mutating func optionalText(_ field: String, max: Int) -> String? {
        self.isBlank(field) ? nil : self.text(field, max: max)
    }

    /// A text that may be missing, but not be empty when it is there.
    mutating func sentText(_ field: String, max: Int) -> String? {
        self.input[field] == nil ? nil : self.text(field, max: max)
    }

    /// A word of a vocabulary that must be there.
    mutating func term<T: Term>(_ field: String, as: T.Type = T.self) -> T? {
        switch self.input[field] {
        case nil, .null:
            self.add(field, "The \(Self.label(field)) field is required.")
            return nil
        case .text(let word):
            if let term = T(word: word) { return term }
            fallthrough
        default:
            self.add(field, "The selected \(Self.label(field)) is invalid.")
            return nil
        }
    }

    /// A word of a vocabulary that may be missing, but not be empty when it is there.
    mutating func sentTerm<T: Term>(_ field: String, as: T.Type = T.self) -> T? {
        self.input[field] == nil ? nil : self.term(field)
    }

    /// A word of a vocabulary that may be missing or null.
    mutating func optionalTerm<T: Term>(_ field: String, as: T.Type = T.self) -> T? {
        switch self.input[field] {
        case nil, .null: nil
        default: self.term(field)
        }
    }

    /// True or false that may be missing, but not be null when it is there: 1 and 0 are as good, as texts too.
    mutating func sentBool(_ field: String) -> Bool? {
        switch self.input[field] {
        case nil: return nil
        case .bool(let value): return value
        case .integer(1), .text("1"): return true
        case .integer(0), .text("0"): return false
        default:
            self.add(field, "The \(Self.label(field)) field must be true or false.")
            return nil
        }
    }

    /// A whole number that must be there.
    mutating func integer(_ field: String) -> Int64? {
        switch self.input[field] {
        case nil, .null:
            self.add(field, "The \(Self.label(field)) field is required.")
            return nil
        default:
            return self.optionalInteger(field, min: .min)
        }
    }

    /// A whole number that may be missing or null.
    mutating func optionalInteger(_ field: String, min: Int64, max: Int64 = .max) -> Int64? {
        let value: Int64
        switch self.input[field] {
        case nil, .null: return nil
        case .integer(let number): value = number
        case .text(let text):
            guard let number = Int64(text) else { fallthrough }
            value = number
        default:
            self.add(field, "The \(Self.label(field)) field must be an integer.")
            return nil
        }
        if value < min {
            self.add(field, "The \(Self.label(field)) field must be at least \(min).")
            return nil
        }
        if value > max {
            self.add(field, "The \(Self.label(field)) field must not be greater than \(max).")
            return nil
        }
        return value
    }

    /// Which part of a list: the fields `page` and `per_page`.
    mutating func page() -> PageRequest {
        var page = PageRequest()
        page.number = self.optionalInteger("page", min: 1) ?? page.number
        page.perPage = self.optionalInteger("per_page", min: 1, max: 100) ?? page.perPage
        return page
    }

    /// An email address that must be there.
    mutating func email(_ field: String) -> String? {
        guard let text = self.text(field, max: 255) else { return nil }
        guard EmailAddress.isValid(text) else {
            self.add(field, "The \(Self.label(field)) field must be a valid email address.")
            return nil
        }
        return text
    }

    /// A password that must be there.
    mutating func password(_ field: String, min: Int = 1) -> String? {
        self.text(field, min: min, max: 1024)
    }

    /// A new password, given twice.
    mutating func newPassword(_ field: String) -> String? {
        let password = self.password(field, min: Self.newPasswordMin)
        guard case .text(let text) = self.input[field] else { return nil }
        if case .text(text) = self.input["\(field)_confirmation"] { return password }
        self.add(field, "The \(Self.label(field)) field confirmation does not match.")
        return nil
    }

    mutating func selectedIsInvalid(_ field: String) {
        self.add(field, "The selected \(Self.label(field)) is invalid.")
    }

    private mutating func checked(_ text: String, _ field: String, min: Int, max: Int) -> String? {
        // SQLite's text functions, and every C program that reads the file, end a text at a NUL.
        if text.utf8.contains(0) {
            self.add(field, "The \(Self.label(field)) field format is invalid.")
            return nil
        }
        let length = text.unicodeScalars.count
        if length < min {
            self.add(field, "The \(Self.label(field)) field must be at least \(min) characters.")
            return nil
        }
        if length > max {
            self.add(field, "The \(Self.label(field)) field must not be greater than \(max) characters.")
            return nil
        }
        return text
    }

    /// A field's name in a sentence: `assigned_to` is "assigned to".
    private static func label(_ field: String) -> String {
        String(field.map { $0 == "_" ? " " : $0 })
    }
}
