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
        guard let first = words.first else { return TicketSet() }
        var found = try self.ticketsWith(first)
        for word in words.dropFirst() where !found.isEmpty { found.formIntersection(try self.ticketsWith(word)) }
        return found
    }

    /// The words as SQLite itself divides and folds a text, none twice. The index's stemmer comes later, when a word is
    /// looked up: what it leaves of a word it would change again.
    private func words(_ text: String) throws -> [String] {
        var seen: Set<String> = []
        return try self.db.makeTokenizer(.unicode61(diacritics: .remove)).tokenize(query: text)
            .map(\.token).filter { seen.insert($0).inserted }
    }

    private func ticketsWith(_ word: String) throws -> TicketSet {
        // A word is letters and digits; in quotes, none of them is an operator.
        try self.row("SELECT ticket_set(rowid >> 32) FROM search WHERE search MATCH ?", ["\"\(word)\""]) {
            TicketSet(bytes: [UInt8]($0[0] as Data))
        } ?? TicketSet()
    }
}
