import BrokerCore
import Testing

@Suite("Pace of a drain")
struct DrainPaceTests {
    /// Closes in the busiest second, and seconds to the last close, of all loops together.
    private func simulate(clients: [Int], over time: Duration) -> (peak: Int, seconds: Double) {
        var closes: [Double] = []
        for count in clients where count > 0 {
            let pace = DrainPace(clients: count, over: time, loops: clients.count)
            for index in 0..<count {
                closes.append(Double(index / pace.clientsPerStep) * (pace.pause / .seconds(1)))
            }
        }
        closes.sort()
        var (peak, first) = (0, 0)
        for (index, close) in closes.enumerated() {
            while close - closes[first] >= 1 { first += 1 }
            peak = max(peak, index - first + 1)
        }
        return (peak, closes.last ?? 0)
    }

    @Test(
        "The busiest second has its share of the clients, and the last one goes within the time",
        arguments: [
            ([5000, 5000], 10, 1000), ([10_000], 10, 1000), ([1, 9999], 10, 1000), ([100_000], 60, 1667),
            ([3000, 3000, 3000, 3000], 120, 100), ([20, 20], 10, 100), ([1], 3600, 100), ([7, 0], 1, 100),
        ])
    func evenly(clients: [Int], seconds: Int, perSecond: Int) {
        let (peak, last) = self.simulate(clients: clients, over: .seconds(seconds))
        // A window can begin with a step and end with one: a step of each loop more than its share.
        #expect(peak <= perSecond + perSecond / 20 + 2 * clients.count)
        #expect(last <= Double(seconds))
        // Not all at once, either.
        if clients.reduce(0, +) > 200 { #expect(last >= Double(seconds) * 0.9 - 1) }
    }

    @Test("Without a time all go at once")
    func atOnce() {
        #expect(DrainPace(clients: 1000, over: .zero, loops: 2).clientsPerStep == 1000)
    }
}
