/// Elements in order: put at the end, taken from the front, both at constant cost.
struct Backlog<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { self.elements.count - self.head }
    var first: Element? { self.head < self.elements.count ? self.elements[self.head] : nil }

    mutating func append(_ element: Element) {
        self.elements.append(element)
    }

    mutating func popFirst() -> Element? {
        guard let first = self.first else { return nil }
        self.elements[self.head] = nil
        self.head += 1
        // The room in front is given back when it is the larger part.
        if self.head > 32, self.head * 2 > self.elements.count {
            self.elements.removeFirst(self.head)
            self.head = 0
        }
        return first
    }

    mutating func filter(_ isKept: (Element) -> Bool) {
        self.elements = self.elements[self.head...].filter { $0.map(isKept) ?? false }
        self.head = 0
    }
}
