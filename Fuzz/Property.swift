/// Ends the run with a finding when a property does not hold.
func require(_ holds: Bool, _ property: StaticString) {
    if !holds { fatalError("\(property)") }
}

/// The bytes that the fuzzer made.
func input(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
    Array(UnsafeBufferPointer(start: start, count: count))
}

/// Cuts `bytes` into pieces whose lengths follow from `seed`: from single bytes to all at once.
func pieces(of bytes: ArraySlice<UInt8>, seed: UInt8) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes
    var state = UInt64(seed) + 1
    while !rest.isEmpty {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let length = seed < 64 ? 1 : 1 + Int(state >> 33) % (seed < 192 ? 16 : 256)
        pieces.append(Array(rest.prefix(length)))
        rest = rest.dropFirst(length)
    }
    return pieces
}
