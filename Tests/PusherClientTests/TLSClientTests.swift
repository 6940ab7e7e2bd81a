import Broker
import PusherClient
import Support
import Testing

@Suite struct TLSClientTests {
    /// What becomes of a connection to a broker that has a certificate for `localhost`.
    private func connect(
        to host: String = "localhost", trusting trust: @escaping @Sendable (TestCertificate) -> ClientTLS.Trust
    ) async throws -> PusherClientFailure? {
        let certificate = try TestCertificate()
        let tls = try ClientTLS(trusting: trust(certificate))
        return try await RunningBroker.run(
            configure: {
                $0.tls = TLSFiles(certificate: certificate.certificate, key: certificate.key)
            }
        ) { broker in
            do throws(PusherClientFailure) {
                try await PusherClient.connect(to: broker.endpoint(host: host, tls: tls)).close()
                return nil
            } catch {
                return error
            }
        }
    }

    @Test("TLS: a certificate of a trusted authority is good")
    func trusted() async throws {
        #expect(try await self.connect { .file($0.certificate) } == nil)
    }

    @Test("TLS: a certificate that nobody trusted has signed is refused")
    func untrusted() async throws {
        #expect(try await self.connect { _ in .system } == .tls(.untrusted))
    }

    @Test("TLS: the certificate must name the host")
    func wrongName() async throws {
        #expect(try await self.connect(to: "127.0.0.1") { .file($0.certificate) } == .tls(.wrongName))
    }

    @Test("TLS: who trusts anybody asks for nothing")
    func anybody() async throws {
        #expect(try await self.connect(to: "127.0.0.1") { _ in .anybody } == nil)
    }

    @Test("TLS: a server that speaks none is told apart")
    func notTLS() async throws {
        try await RunningBroker.run { broker in
            let tls = try ClientTLS(trusting: .system)
            await #expect(throws: PusherClientFailure.tls(.notTLS)) {
                try await PusherClient.connect(to: broker.endpoint(tls: tls))
            }
        }
    }

    @Test("TLS: without a readable file of authorities nothing is tried")
    func noAuthorities() {
        #expect(throws: ClientTLS.Unusable.self) { try ClientTLS(trusting: .file("/nonexistent.pem")) }
    }
}
