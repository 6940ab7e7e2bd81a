/// Prints a line for each benchmark: its name, how often it was done, and the allocations of one time, which may be a
/// fraction where memory is made in advance. `scripts/bench-micro` runs this under Callgrind and adds the instructions.
///
/// Arguments are the beginnings of the names of those to run; without any, all are.
@main
struct MicroBench {
    static func main() {
        let prefixes = CommandLine.arguments.dropFirst()
        let all = encodeBenchmarks() + parseBenchmarks() + signatureBenchmarks() + hubBenchmarks()
        for benchmark in all where prefixes.isEmpty || prefixes.contains(where: benchmark.name.hasPrefix) {
            print(benchmark.name, benchmark.repetitions, benchmark.run())
        }
    }
}
