import BrokerCore
import PusherProtocol
import Testing

@Suite struct ConnectionAdmissionTests {
    @Test(
        "1.1: the key is all of the path behind /app/",
        arguments: [
            ("/app/abc", "abc"), ("/app/a%2Fb", "a%2Fb"), ("/app/", nil), ("/app", nil), ("/app/abc/", nil),
            ("/app/a/b", nil),
            ("/apps/abc", nil), ("/", nil), ("", nil), ("/App/abc", nil), ("//app/abc", nil),
        ] as [(String, String?)])
    func keys(_ vector: (path: String, key: String?)) {
        #expect(ConnectionAdmission.key(inPath: vector.path) == vector.key)
    }

    @Test(
        "P5, P6, P7: versions 5 to 7 are served, and so is none",
        arguments: [
            "", "protocol=5", "protocol=6", "protocol=7&client=js&version=8.6.0&flash=false", "x=99&y=abc", "client=js",
        ])
    func servedVersions(_ query: String) throws {
        try ConnectionAdmission.checkVersion(QueryParameters(query))
    }

    @Test("P8: other versions are refused with 4007", arguments: ["0", "4", "8", "99", "-7"])
    func unsupportedVersions(_ version: String) {
        let error = #expect(throws: ProtocolError.self) {
            try ConnectionAdmission.checkVersion(QueryParameters("protocol=\(version)"))
        }
        #expect(error?.code == 4007)
    }

    @Test(
        "P9: what is no number is refused with 4006",
        arguments: ["abc", "", "7.0", "7a", "%20", "99999999999999999999"])
    func malformedVersions(_ version: String) {
        let error = #expect(throws: ProtocolError.self) {
            try ConnectionAdmission.checkVersion(QueryParameters("protocol=\(version)"))
        }
        #expect(error?.code == 4006)
    }

    @Test(
        "P15, P16: an origin must be on the list of an app that has one; no origin is no browser",
        arguments: [
            (nil, nil, true), ("https://any.test", nil, true), (nil, ["a.test"], true),
            ("https://a.test", ["a.test"], true),
            ("HTTPS://A.Test:8443", ["a.test"], true), ("https://b.test", ["a.test"], false),
            ("https://a.test.evil.test", ["a.test"], false), ("https://evil.test?a.test", ["a.test"], false),
            ("https://xa.test", ["a.test"], false), ("null", ["a.test"], false), ("", ["a.test"], false),
            ("https://a.test", [], false), ("http://[::1]:3000", ["[::1]"], true),
        ] as [(String?, Set<String>?, Bool)])
    func origins(_ vector: (origin: String?, allowed: Set<String>?, isAllowed: Bool)) {
        let application = Application(
            credentials: AppCredentials(id: "1", key: "k", secret: AppSecret("s")), allowedOrigins: vector.allowed)
        if vector.isAllowed {
            #expect(throws: Never.self) { try ConnectionAdmission.checkOrigin(vector.origin, of: application) }
        } else {
            let error = #expect(throws: ProtocolError.self) {
                try ConnectionAdmission.checkOrigin(vector.origin, of: application)
            }
            #expect(error?.code == 4009)
        }
    }

    @Test(
        "1.3: the host of an origin is told from scheme and port",
        arguments: [
            ("https://app.example.test:8443", "app.example.test"), ("http://a", "a"), ("app.test", "app.test"),
            ("http://[2001:db8::1]", "[2001:db8::1]"), ("http://[2001:db8::1]:80", "[2001:db8::1]"), ("null", "null"),
            ("", ""),
        ])
    func hosts(_ vector: (origin: String, host: String)) {
        #expect(ConnectionAdmission.host(ofOrigin: vector.origin) == vector.host)
    }
}
