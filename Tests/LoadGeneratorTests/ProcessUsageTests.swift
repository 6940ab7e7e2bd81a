import Glibc
import LoadGenerator
import Testing

@Suite struct ProcessUsageTests {
    @Test("A process of this machine is seen with its memory, and one that is not there is not")
    func usage() throws {
        let usage = try #require(ProcessUsage(of: Int(getpid())))
        #expect(usage.memory > 1_000_000)
        #expect(usage.cpu >= 0)
        #expect(ProcessUsage.ownCPU > 0)
        #expect(ProcessUsage(of: 0) == nil)
        #expect(ProcessUsage(of: -1) == nil)
    }
}
