/// Rows for a person: a line each, in columns. The first is the head.
struct TextTable {
    private let rows: [[String]]

    init(_ rows: [[String]]) {
        self.rows = rows.map { $0.map(Quoted.printable) }
    }

    var text: String {
        let columns = self.rows.first?.count ?? 0
        let widths = (0..<columns).map { column in self.rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        let lines = self.rows.map { row in
            zip(row, widths).dropLast().map { cell, width in
                cell + String(repeating: " ", count: width - cell.unicodeScalars.count + 2)
            }.joined() + (row.last ?? "")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
