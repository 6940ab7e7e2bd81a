import Counting

/// Something whose cost is counted, in heap allocations and in instructions.
struct Benchmark {
    let name: String
    /// How often it is done while it is counted.
    let repetitions: Int
    let body: () -> Void

    /// - Parameter body: does it once; what it makes is given to `keep`.
    init(_ name: String, repetitions: Int = 1000, _ body: @escaping () -> Void) {
        self.name = name
        self.repetitions = repetitions
        self.body = body
    }

    /// Does it a few times uncounted, so that nothing is done for the first time, and then counts.
    ///
    /// The allocations of one time; under Callgrind, which counts the instructions, a file with those of all times.
    func run() -> Double {
        for _ in 0..<min(self.repetitions, 50) { self.body() }
        let allocations = self.name.withCString { name in
            let before = allocation_count()
            instruction_count_begin()
            for _ in 0..<self.repetitions { self.body() }
            instruction_count_end(name)
            return allocation_count() - before
        }
        return Double(allocations) / Double(self.repetitions)
    }
}

/// Takes a result, so that the compiler cannot leave out what made it.
@inline(never)
func keep<Value>(_ value: borrowing Value) {}

/// What a benchmark expects not to happen: then it measures something else.
func unwrap<Value>(_ value: Value?, line: Int = #line, file: StaticString = #fileID) -> Value {
    guard let value else { fatalError("\(file):\(line): the benchmark's input is refused") }
    return value
}

/// Likewise for a result.
func unwrap<Value, Failure>(
    line: Int = #line, file: StaticString = #fileID, _ body: () throws(Failure) -> Value
) -> Value {
    do throws(Failure) { return try body() } catch { fatalError("\(file):\(line): \(error)") }
}
