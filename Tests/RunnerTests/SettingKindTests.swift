import Testing

@testable import Runner

@Suite struct SettingKindTests {
    @Test(
        "A time is seconds or minutes within its range, and nothing else",
        arguments: [
            ("10s", 10), ("10", 10), ("2m", 120), ("0", 0), ("3600s", 3600), ("60m", 3600), ("3601", nil), ("61m", nil),
            ("", nil), ("s", nil), ("-1", nil), ("1h", nil), ("1.5s", nil), ("1 s", nil), ("99999999999999999999", nil),
            ("١s", nil),
        ] as [(String, Int?)])
    func duration(text: String, seconds: Int?) {
        #expect(SettingKind<Duration>.duration(0...3600).parse(text) == seconds.map { .seconds($0) })
    }
}
