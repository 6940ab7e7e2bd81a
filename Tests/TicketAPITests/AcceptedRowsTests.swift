import Testing

@testable import TicketAPI

/// Which published rows are still to be deleted.
struct AcceptedRowsTests {
    private static func row(_ id: Int64, ticket: Int64) -> OutboxRow {
        OutboxRow(id: id, ticketID: ticket, event: "NewMessage", channels: [], data: "", socketID: nil)
    }

    @Test("One deletion takes the rows of all calls; what is accepted meanwhile is the next one's")
    func batches() {
        var rows = AcceptedRows()
        #expect(rows.scheduleDeletion() == false)
        rows.add([Self.row(1, ticket: 7), Self.row(2, ticket: 8)])
        #expect(rows.scheduleDeletion() == true)
        rows.add([Self.row(3, ticket: 7)])
        #expect(rows.scheduleDeletion() == false)
        #expect(rows.beginDeletion() == [1, 2, 3])
        #expect(rows.beginDeletion() == nil)
        rows.add([Self.row(4, ticket: 7)])
        #expect(rows.scheduleDeletion() == false)
        rows.endDeletion(of: [1, 2, 3], isDone: true)
        #expect(rows.last == [7: 4])
        #expect(rows.scheduleDeletion() == true)
        #expect(rows.beginDeletion() == [4])
        rows.endDeletion(of: [4], isDone: true)
        #expect(rows.isEmpty && rows.last.isEmpty)
        #expect(rows.scheduleDeletion() == false)
    }

    @Test("Rows that could not be deleted stay known, so that they are not published again")
    func failure() {
        var rows = AcceptedRows()
        rows.add([Self.row(1, ticket: 7)])
        #expect(rows.scheduleDeletion() == true)
        #expect(rows.beginDeletion() == [1])
        rows.endDeletion(of: [1], isDone: false)
        #expect(rows.couldNotBeDeleted && rows.last == [7: 1])
        #expect(rows.scheduleDeletion() == true)
        #expect(rows.beginDeletion() == [1])
        rows.endDeletion(of: [1], isDone: true)
        #expect(!rows.couldNotBeDeleted && rows.isEmpty)
    }
}
