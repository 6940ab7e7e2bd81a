import LoadGenerator
import Testing

@Suite struct MarkerTests {
    private static let marker = Marker(event: 0x0102_AB9F, publisher: 255, sequence: 7, due: 0xFFFF_0000_1234)

    private func read(_ text: String, at offset: Int) -> Marker? {
        Array(text.utf8).withUnsafeBytes { Marker($0, at: offset) }
    }

    @Test("A marker is read back from its data, which has the size asked for", arguments: [51, 52, 64, 1024])
    func roundTrip(_ size: Int) throws {
        let data = Self.marker.data(size: size)
        #expect(data.utf8.count == size)
        #expect(data.hasPrefix(#"{"m":"@@0102ab9f00ff00000007ffff00001234@@","p":""#))
        #expect(data.hasSuffix(#""}"#))
        #expect(Array(data.utf8).withUnsafeBytes { Marker.find(in: $0) } == 6)
        #expect(self.read(data, at: 6) == Self.marker)
    }

    @Test("A marker is found wherever it stands, behind what only looks like one")
    func find() {
        let text = "@@ @@0102ab9f00ff00000007ffff0000123g@@ é" + String(Self.marker.data(size: 60).dropFirst(6))
        let bytes = Array(text.utf8)
        let offset = bytes.withUnsafeBytes { Marker.find(in: $0) }
        #expect(offset == 42)
        #expect(self.read(text, at: 42) == Self.marker)
    }

    @Test(
        "What is no marker is none",
        arguments: [
            "", "@@", "@@0102ab9f00ff00000007ffff00001234@", "@@0102ab9f00ff00000007ffff00001234@x",
            "@@0102AB9F00ff00000007ffff00001234@@", "@@0102ab9f00ff00000007ffff0000123:@@",
            "@@0102ab9f00ff00000007ffff0000123`@@", "@@0102ab9f00ff00000007ffff0000123/@@",
        ])
    func none(_ text: String) {
        #expect(self.read(text, at: 0) == nil)
        #expect(Array(text.utf8).withUnsafeBytes { Marker.find(in: $0) } == nil)
    }

    @Test("No place outside the message is read", arguments: [-1, 0, 1, 24, 1000])
    func bounds(_ offset: Int) {
        #expect(self.read(String(Self.marker.data(size: 51).dropFirst(7)), at: offset) == nil)
    }
}
