import Broker
import BrokerCore
import Foundation
import NIOCore
import NIOSSL
import PusherProtocol
import Support
import Testing

@Suite("TLS")
struct TLSTests {
    @Test(
        "P1–P3, P21, P24, P139: clients and publishers are served over TLS 1.2 and 1.3, and ended with TLS's own goodbye",
        arguments: [TLSVersion.tlsv12, .tlsv13])
    func session(version: TLSVersion) async throws {
        let certificate = try TestCertificate()
        try await TestBroker.run(certificate: certificate) { broker in
            let broker = broker.over(try certificate.client(maximum: version))
            let client = try await broker.client()
            #expect(try await client.raw.channel.nioSSL_tlsVersion().get() == version)
            try await client.subscribe("private-ops")
            for index in 0..<20 {
                try await broker.trigger(#"{"name":"n","channel":"private-ops","data":"\#(index)"}"#)
            }
            for index in 0..<20 { #expect(try await client.next().data == "\(index)") }
            try await client.expectNothingMore()
            try await client.raw.send(clientFrame(0x88, [0x03, 0xE8]))
            #expect(try await client.closeCode() == 1000)
            #expect(try await client.raw.takeAll().isEmpty)
            #expect(client.raw.errors.isEmpty)
        }
    }

    @Test(
        "P8–P10, P20 over TLS: a refused client gets the error as an event, and then the same code as a close",
        arguments: [("/app/\(TestBroker.credentials.key)?protocol=99", 4007), ("/app/nobody", 4001)])
    func refusals(path: String, code: Int) async throws {
        try await TestBroker.run(certificate: TestCertificate()) { broker in
            try await expectRefusal(try await broker.upgraded(path: path), code: code)
        }
    }

    @Test("P36 over TLS: a frame that breaks the protocol is told so in a close frame")
    func violation() async throws {
        try await TestBroker.run(certificate: TestCertificate()) { broker in
            let client = try await broker.client()
            try await client.raw.send([0x81, 0x02, 0x7B, 0x7D])
            #expect(try await client.closeCode() == 1002)
            #expect(try await client.raw.takeAll().isEmpty)
            #expect(client.raw.errors.isEmpty)
        }
    }

    @Test("An answer larger than the backlog arrives whole over TLS")
    func largeAnswer() async throws {
        try await TestBroker.run(certificate: TestCertificate(), configure: { $0.maxBacklog = 64 * 1024 }) { broker in
            let subscriber = try await broker.client()
            let filler = String(repeating: "x", count: 155)
            try await subscriber.subscribe(toAll: (0..<1000).map { "\(filler)-\($0)" })
            let answer = try await broker.raw().call("GET", "/apps/4711/channels")
            #expect(answer.status == 200 && answer.body.utf8.count > 160_000)
        }
    }

    @Test("TLS 1.1 is refused")
    func oldVersion() async throws {
        let certificate = try TestCertificate()
        let log = LogCollector()
        try await TestBroker.run(certificate: certificate, logger: log.logger) { broker in
            let old = try await broker.over(try certificate.client(maximum: .tlsv11)).raw()
            #expect(try await old.takeAll().isEmpty)
            #expect(old.errors.contains { $0.contains("PROTOCOL_VERSION") })
            _ = try await broker.client()
        }
        #expect(log.lines.contains { $0.contains("UNSUPPORTED_PROTOCOL") })
    }

    @Test("The same port serves plain connections, which need no TLS")
    func plainOnTheSamePort() async throws {
        try await TestBroker.run(certificate: TestCertificate()) { broker in
            let plain = broker.over(nil)
            let (secured, client) = (try await broker.client(), try await plain.client())
            try await secured.subscribe("orders")
            try await client.subscribe("orders")
            #expect(try await plain.trigger(#"{"name":"n","channel":"orders","data":"1"}"#).status == 200)
            #expect(try await secured.next().data == "1")
            #expect(try await client.next().data == "1")
        }
    }

    @Test("Without a certificate a TLS handshake is a malformed request")
    func handshakeOnAPlainPort() async throws {
        let tls = try TestCertificate().client()
        try await TestBroker.run { broker in
            let client = try await broker.over(tls).raw()
            #expect(try await client.takeAll().isEmpty)
            #expect(!client.errors.isEmpty)
            _ = try await broker.client()
        }
    }

    @Test("P13: an app that demands TLS refuses plain clients with 4000, and publishers never")
    func required() async throws {
        let log = LogCollector()
        try await TestBroker.run(
            application: TestBroker.application(requiresTLS: true), certificate: TestCertificate(),
            logger: log.logger
        ) { broker in
            let plain = broker.over(nil)
            try await expectRefusal(try await plain.upgraded(), code: 4000)
            let client = try await broker.client()
            try await client.subscribe("orders")
            #expect(try await plain.trigger(#"{"name":"n","channel":"orders","data":"1"}"#).status == 200)
            #expect(try await client.next().data == "1")
        }
        #expect(
            log.lines.contains {
                $0.contains("address=127.0.0.1 app=4711 code=4000 detail=Application only accepts TLS")
            })
    }

    @Test("P13: when an app begins to demand TLS, its plain clients are closed with 4000 and the others stay")
    func requiredByReload() async throws {
        try await TestBroker.run(certificate: TestCertificate()) { broker in
            let (plain, secured) = (try await broker.over(nil).client(), try await broker.client())
            await broker.reload([TestBroker.application(requiresTLS: true)])
            try await expectRefusal(plain, code: 4000)
            try await secured.expectNothingMore()
        }
    }

    @Test(
        "Who says nothing, half a ClientHello or half a request is cut when the time for a request is over",
        arguments: [[], [0x16], [0x16, 0x03, 0x01, 0x02, 0x00, 0x01], Array("GET /up HT".utf8)] as [[UInt8]])
    func silence(bytes: [UInt8]) async throws {
        try await TestBroker.run(
            certificate: TestCertificate(), configure: { $0.timeouts.requestHead = .seconds(4) }
        ) { broker in
            let raw = try await broker.over(nil).raw()
            if !bytes.isEmpty { try await raw.send(bytes) }
            let text = String(decoding: try await raw.takeAll(), as: UTF8.self)
            #expect(bytes.first == UInt8(ascii: "G") ? text.hasPrefix("HTTP/1.1 408 ") : text.isEmpty)
        }
    }

    @Test("Who says nothing behind a TLS handshake is closed with TLS's goodbye; half a request is answered 408")
    func silenceBehindTheHandshake() async throws {
        try await TestBroker.run(
            certificate: TestCertificate(), configure: { $0.timeouts.requestHead = .seconds(6) }
        ) { broker in
            let (silent, half) = (try await broker.raw(), try await broker.raw())
            try await half.send("GET /up HTTP/1.1\r\nHost:")
            #expect(try await silent.takeAll().isEmpty)
            #expect(silent.errors.isEmpty)
            #expect(try await half.answer().status == 408)
            #expect(try await half.takeAll().isEmpty)
            #expect(half.errors.isEmpty)
        }
    }
}

@Suite("Certificates")
struct CertificateTests {
    @Test("A reload serves new connections with the new certificate and keeps the old connections")
    func reload() async throws {
        let certificate = try TestCertificate()
        let before = try certificate.client()
        try await TestBroker.run(certificate: certificate) { broker in
            let client = try await broker.client()
            try certificate.renew()
            let after = try certificate.client()
            let early = try await broker.over(after).raw()
            #expect(try await early.takeAll().isEmpty)
            #expect(early.errors.contains { $0.contains("CERTIFICATE_VERIFY_FAILED") })

            try await broker.reloadTLS()
            _ = try await broker.over(after).client()
            let late = try await broker.over(before).raw()
            #expect(try await late.takeAll().isEmpty)
            try await client.expectNothingMore()

            try Data("broken".utf8).write(to: URL(filePath: certificate.files.certificate))
            await #expect(throws: TLSFailure.self) { try await broker.reloadTLS() }
            _ = try await broker.over(after).client()
        }
    }

    /// What is said of files that cannot be served with.
    private func failure(of files: TLSFiles) async -> String? {
        let failure = await #expect(throws: TLSFailure.self) {
            try await TestBroker.run(configure: { $0.tls = files }) { _ in }
        }
        return failure?.description
    }

    @Test("The start is refused with the file and what is wrong with it")
    func unusable() async throws {
        let (first, second) = (try TestCertificate(), try TestCertificate())
        let (certificate, key) = (first.files.certificate, first.files.key)
        let missing = first.directory.appending(path: "nothing").path()
        #expect(
            await self.failure(of: TLSFiles(certificate: missing, key: key))
                == "TLS certificate \(missing) cannot be read: No such file or directory")
        #expect(
            await self.failure(of: TLSFiles(certificate: certificate, key: first.directory.path()))
                == "TLS key \(first.directory.path()) cannot be read: not a file")
        #expect(
            await self.failure(of: TLSFiles(certificate: key, key: key))
                == "TLS certificate \(key) has no certificate in PEM form in it, or one that is damaged")
        #expect(
            await self.failure(of: TLSFiles(certificate: certificate, key: certificate))
                == "TLS key \(certificate) has no private key in PEM form in it, or one that is damaged")
        #expect(
            await self.failure(of: TLSFiles(certificate: certificate, key: second.files.key))
                == "TLS key \(second.files.key) does not belong to the certificate in \(certificate)")
        let encrypted = first.directory.appending(path: "encrypted.pem").path()
        try TestCertificate.openssl([
            "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", encrypted,
        ])
        #expect(
            await self.failure(of: TLSFiles(certificate: certificate, key: encrypted))
                == "TLS key \(encrypted) is encrypted; take the passphrase off (openssl pkey -in OLD -out NEW)")
    }

    @Test(
        "A certificate that has expired or soon will is warned of, and served",
        arguments: [(15, nil), (17, "expires soon"), (31, "has expired")] as [(Int64, String?)])
    func expiry(daysLater: Int64, warning: String?) async throws {
        let log = LogCollector()
        let now = Int64(Date().timeIntervalSince1970)
        try await TestBroker.run(
            certificate: TestCertificate(days: 30), logger: log.logger,
            configure: { $0.wallClock = { now + daysLater * 86_400 } }
        ) { broker in
            _ = try await broker.client()
        }
        let warnings = log.lines.filter { $0.hasPrefix("warning:") }
        #expect(warnings.count == (warning == nil ? 0 : 1))
        if let warning { #expect(warnings.allSatisfy { $0.contains(warning) && $0.contains("certificate.pem") }) }
    }

    @Test("A key that everybody may read is warned of")
    func exposedKey() async throws {
        let (certificate, log) = (try TestCertificate(), LogCollector())
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: certificate.files.key)
        try await TestBroker.run(certificate: certificate, logger: log.logger) { _ in }
        #expect(
            log.lines.contains(
                "warning: a file with a secret in it can be read by others; chmod 600 it file=\(certificate.files.key)")
        )
    }
}
