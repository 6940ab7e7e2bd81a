internal import FoundationEssentials
internal import GRDB

extension Tables {
    /// Words of one search: each costs a look at all its occurrences.
    private static let maxSearchWords = 16

    /// The tickets in which all words of `text` are, each in the subject, the description or a message, whatever its
    /// case, accents and English ending. A text without letters and digits is found nowhere.
    ///
    /// Throws `TicketFailure.invalid` when there are too many words.
    func ticketsFound(_ text: String) throws -> TicketSet {
        let words = try self.words(text)
        guard words.count <= Self.maxSearchWords else {
            throw TicketFailure.invalid(
                ValidationErrors("q", "The q field must not have more than \(Self.maxSearchWords) words."))
        }
        // A word is letters and digits; in quotes, none of them is an operator. Any row with one of the words leads to
        // the tickets that have them all.
        let phrases = words.map { "\"\($0)\"" }.joined(separator: " OR ")
        guard !phrases.isEmpty else { return TicketSet() }
        return try self.row("SELECT tickets_with_all(search) FROM search WHERE search MATCH ? LIMIT 1", [phrases]) {
            TicketSet(bytes: [UInt8]($0[0] as Data))
        } ?? TicketSet()
    }

    /// The words as SQLite itself divides and folds a text, none twice. The index's stemmer comes later, when a word is
    /// looked up: what it leaves of a word it would change again.
    private func words(_ text: String) throws -> [String] {
        var seen: Set<String> = []
        return try self.db.makeTokenizer(.unicode61(diacritics: .remove)).tokenize(query: text)
            .map(\.token).filter { seen.insert($0).inserted }
    }
}
