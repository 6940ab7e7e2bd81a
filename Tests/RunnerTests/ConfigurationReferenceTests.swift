import Foundation
import Testing

@testable import Runner

/// `docs/configuration.md` says of every setting what the program says of it.
@Suite struct ConfigurationReferenceTests {
    private func reference() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/configuration.md"), encoding: .utf8)
    }

    private func cell(_ text: String) -> String { text.replacingOccurrences(of: "|", with: "\\|") }

    @Test func everySettingHasItsRow() throws {
        let rows = SettingTable.rows.map { row in
            let fallback = row.defaultText.map { "`\($0)`" } ?? row.absence ?? ""
            return "| `\(row.name)` | \(fallback) | \(self.cell(row.allowed)) | \(self.cell(row.meaning)) |"
        }
        try self.expectTable(rows, under: "| environment |")
    }

    @Test func everyKeyOfAnAppHasItsRow() throws {
        try self.expectTable(AppTable.rows.map(self.line), under: "| key of an app |")
    }

    @Test func everyKeyOfAWebhookHasItsRow() throws {
        try self.expectTable(WebhookTable.rows.map(self.line), under: "| key of a webhook |")
    }

    private func line(_ row: FileKeyRow) -> String {
        let fallback = row.defaultText.map { "`\($0)`" } ?? row.absence ?? "required"
        return "| `\(row.key)` | \(fallback) | \(self.cell(row.allowed)) | \(self.cell(row.meaning)) |"
    }

    /// The table is these rows and no others; the message is what to paste.
    private func expectTable(_ rows: [String], under heading: String) throws {
        let lines = try self.reference().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let head = try #require(lines.firstIndex { $0.hasPrefix(heading) }, "no table begins with \(heading)")
        let found = Array(lines[(head + 2)...].prefix { $0.hasPrefix("|") })
        #expect(found == rows, "\(rows.joined(separator: "\n"))")
    }
}
