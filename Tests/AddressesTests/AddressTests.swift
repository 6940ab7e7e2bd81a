import Addresses
import Testing

@Suite("Addresses and ranges")
struct AddressTests {
    @Test(
        "RFC 4291, 5952: an address is read and written",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::1", "::1"), ("::", "::"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:C000:0201", "192.0.2.1"),
        ])
    func reads(text: String, written: String) {
        #expect(IPAddress(text)?.description == written)
    }

    @Test(
        "What is no address is none",
        arguments: [
            "", "1", "1.2.3", "1.2.3.4.5", "256.0.0.1", "01.2.3.4", "1.2.3.4 ", " ::1", "1.2.3.4:80", "[::1]",
            "fe80::1%lo", "::1::", "1.2.3.4\u{0}", "unknown", "１.2.3.4",
            String(repeating: "0:", count: 100),
        ])
    func refuses(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("Four and sixteen bytes are addresses; the same one however it came")
    func bytes() {
        func address(_ bytes: [UInt8]) -> IPAddress? { bytes.withUnsafeBytes { IPAddress($0) } }
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        #expect(address([192, 0, 2, 1]) == IPAddress("192.0.2.1"))
        #expect(address(mapped + [192, 0, 2, 1]) == IPAddress("192.0.2.1"))
        #expect(address([0x20, 1, 0xD, 0xB8] + Array(repeating: 0, count: 11) + [1]) == IPAddress("2001:db8::1"))
        #expect(address([]) == nil && address([1, 2, 3]) == nil && address(Array(repeating: 0, count: 17)) == nil)
    }

    @Test(
        "RFC 4632: a range holds what begins like it",
        arguments: [
            ("10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"], ["9.255.255.255", "11.0.0.0", "::10"]),
            ("192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]),
            ("192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.1.2.3"], ["::", "::1", "2001:db8::1"]),
            ("::/0", ["::", "2001:db8::1"], ["10.0.0.1"]),
            ("2001:db8::/33", ["2001:db8::1", "2001:db8:7fff::"], ["2001:db8:8000::", "2001:db9::"]),
            ("::1", ["::1"], ["::", "::2", "127.0.0.1"]),
            ("::ffff:10.0.0.0/104", ["10.200.0.1"], ["11.0.0.1"]),
        ] as [(String, [String], [String])])
    func contains(range: String, inside: [String], outside: [String]) throws {
        let range = try CIDR(range)
        for text in inside { #expect(range.contains(try #require(IPAddress(text))), "\(text)") }
        for text in outside { #expect(!range.contains(try #require(IPAddress(text))), "\(text)") }
    }

    @Test(
        "A range that is none is refused with the reason",
        arguments: [
            ("", "is not an address or a range"), ("localhost", "is not an address or a range"),
            ("10.0.0.0/33", "no prefix length from 0 to 32"), ("10.0.0.0/", "no prefix length from 0 to 32"),
            ("10.0.0.0/-1", "no prefix length"), ("10.0.0.0/8/8", "no prefix length"),
            ("10.0.0.0/99999999999999999999", "no prefix length"), ("::/129", "no prefix length from 0 to 128"),
            ("10.0.0.1/8", "the range is 10.0.0.0/8"), ("2001:db8::1/32", "the range is 2001:db8::/32"),
        ])
    func refusesRange(text: String, reason: String) {
        let failure = #expect(throws: CIDR.Invalid.self) { try CIDR(text) }
        #expect(failure?.description.contains(reason) == true)
    }

    @Test(
        "A range is written as it was given",
        arguments: [("10.0.0.0/8", "10.0.0.0/8"), ("::1", "::1/128"), ("192.0.2.1", "192.0.2.1/32"), ("::/0", "::/0")])
    func writes(text: String, written: String) throws {
        #expect(try CIDR(text).description == written)
    }
}

@Suite("Origin of a client")
struct ClientOriginTests {
    private func origin(
        peer: String = "10.0.0.1", overTLS: Bool = false, for forwardedFor: String? = nil, proto: String? = nil
    ) throws -> ClientOrigin {
        ClientOrigin(
            peer: try #require(IPAddress(peer)), overTLS: overTLS, forwardedFor: forwardedFor, forwardedProto: proto,
            trusted: [try CIDR("10.0.0.0/8"), try CIDR("2001:db8::/32")])
    }

    @Test(
        "The client is the first from the right that is no trusted proxy",
        arguments: [
            (nil, "10.0.0.1"), ("", "10.0.0.1"), ("198.51.100.7", "198.51.100.7"),
            ("203.0.113.9, 198.51.100.7", "198.51.100.7"), ("203.0.113.9,198.51.100.7,10.9.9.9", "198.51.100.7"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"), ("198.51.100.7, 2001:db8::5", "198.51.100.7"),
            ("\t198.51.100.7 :", "10.0.0.1"), ("198.51.100.7:4711", "198.51.100.7"),
            ("[2001:db9::1]:4711", "2001:db9::1"), ("2001:db9::1", "2001:db9::1"), ("[2001:db9::1]", "2001:db9::1"),
            ("::ffff:198.51.100.7", "198.51.100.7"), ("198.51.100.7, unknown", "10.0.0.1"),
            ("198.51.100.7, unknown, 10.0.0.2", "10.0.0.2"), ("198.51.100.7,", "10.0.0.1"), ("[", "10.0.0.1"),
            ("]", "10.0.0.1"), ("[]", "10.0.0.1"), (":", "10.0.0.1"), ("é, \u{FF}", "10.0.0.1"),
            ("198.51.100.8\u{603}, 198.51.100.7", "198.51.100.7"),
            ("\u{603}, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ] as [(String?, String)])
    func address(forwardedFor: String?, client: String) throws {
        #expect(try self.origin(for: forwardedFor).address == IPAddress(client))
    }

    @Test("What others than trusted proxies say is not heard", arguments: ["192.0.2.1", "::1", "2001:db9::1"])
    func untrusted(peer: String) throws {
        let origin = try self.origin(peer: peer, for: "198.51.100.7", proto: "https")
        #expect(origin.address == IPAddress(peer) && !origin.usesTLS)
        #expect(try self.origin(peer: peer, overTLS: true, proto: "http").usesTLS)
    }

    @Test(
        "X-Forwarded-Proto counts instead of the proxy's own connection, when all that it says is TLS",
        arguments: [
            (nil, false, false), (nil, true, true), ("https", false, true), ("wss", false, true),
            (" HTTPS ", false, true), ("https,wss", false, true), ("http", true, false), ("https, http", true, false),
            ("http, https", true, false), ("", true, false), ("https,", true, false), ("tls", true, false),
        ] as [(String?, Bool, Bool)])
    func proto(text: String?, overTLS: Bool, usesTLS: Bool) throws {
        #expect(try self.origin(overTLS: overTLS, proto: text).usesTLS == usesTLS)
    }

    @Test("A head full of addresses is looked through to its end and no further")
    func long() throws {
        let many = Array(repeating: "10.0.0.2", count: 2000)
        #expect(
            try self.origin(for: (["198.51.100.7"] + many).joined(separator: ",")).address.description == "198.51.100.7"
        )
    }
}
