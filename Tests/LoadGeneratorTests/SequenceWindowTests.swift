import LoadGenerator
import Testing

@Suite struct SequenceWindowTests {
    private func arrivals(_ numbers: [UInt32]) -> [SequenceWindow.Arrival] {
        var window = SequenceWindow()
        return numbers.map { window.note($0) }
    }

    @Test("Numbers that rise are in order, with gaps too")
    func inOrder() {
        #expect(self.arrivals([1, 2, 5, 100, 1_000_000, .max]) == Array(repeating: .inOrder, count: 6))
    }

    @Test("A number behind a later one is reordered, once; then it is a duplicate")
    func reordered() {
        #expect(
            self.arrivals([1, 3, 2, 2, 3, 4]) == [.inOrder, .inOrder, .reordered, .duplicate, .duplicate, .inOrder])
    }

    @Test("The same again is a duplicate, as far back as 63 numbers")
    func duplicates() {
        #expect(self.arrivals([1, 1]) == [.inOrder, .duplicate])
        #expect(self.arrivals([1, 64, 1]) == [.inOrder, .inOrder, .duplicate])
        #expect(self.arrivals([1, 65, 1]) == [.inOrder, .inOrder, .reordered], "nobody knows any more")
        #expect(self.arrivals([1, 200, 200, 137, 137]) == [.inOrder, .inOrder, .duplicate, .reordered, .duplicate])
    }
}
