import Glibc
import Logging
import NIOCore
import NIOSSL

/// A certificate with its key: read, checked, and ready to serve connections with.
struct TLSIdentity: Sendable {
    let context: NIOSSLContext

    private static let expiryNotice: Int64 = 14 * 86_400

    /// Reads the files. Throws a `TLSFailure` when they cannot be served with; what is only doubtful is logged.
    static func load(
        _ files: TLSFiles, configuration: BrokerConfiguration, logger: Logger
    ) async throws -> TLSIdentity {
        let contents = try await files.read()
        let chain = try self.certificates(contents.certificate, path: files.certificate)
        let key = try self.key(contents.key, path: files.key)
        if contents.exposesKey {
            logger.warning(
                "a file with a secret in it can be read by others; chmod 600 it", metadata: ["file": "\(files.key)"])
        }
        self.warnOfExpiry(chain[0], path: files.certificate, now: configuration.wallClock(), logger: logger)

        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = .tlsv12
        // For TLS 1.2; those of 1.3 are all good. Fresh keys for each connection and no CBC.
        tls.cipherSuites = "ECDH+AESGCM:ECDH+CHACHA20"
        tls.shutdownTimeout = TimeAmount(configuration.timeouts.close)
        do {
            return TLSIdentity(context: try NIOSSLContext(configuration: tls))
        } catch NIOSSLError.failedToLoadPrivateKey {
            throw TLSFailure("key", files.key, "does not belong to the certificate in \(files.certificate)")
        } catch {
            throw TLSFailure("certificate", files.certificate, "cannot be served with: \(error)")
        }
    }

    /// At least one.
    private static func certificates(_ pem: [UInt8], path: String) throws(TLSFailure) -> [NIOSSLCertificate] {
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(pem), !chain.isEmpty else {
            throw TLSFailure("certificate", path, "has no certificate in PEM form in it, or one that is damaged")
        }
        return chain
    }

    private static func key(_ pem: [UInt8], path: String) throws(TLSFailure) -> NIOSSLPrivateKey {
        guard !String(decoding: pem, as: UTF8.self).contains("ENCRYPTED") else {
            throw TLSFailure("key", path, "is encrypted; take the passphrase off (openssl pkey -in OLD -out NEW)")
        }
        guard let key = try? NIOSSLPrivateKey(bytes: pem, format: .pem) else {
            throw TLSFailure("key", path, "has no private key in PEM form in it, or one that is damaged")
        }
        return key
    }

    private static func warnOfExpiry(_ certificate: NIOSSLCertificate, path: String, now: Int64, logger: Logger) {
        let left = Int64(certificate.notValidAfter) - now
        if left < 0 {
            logger.warning("the TLS certificate has expired: clients refuse it", metadata: ["file": "\(path)"])
        } else if left < Self.expiryNotice {
            logger.warning(
                "the TLS certificate expires soon",
                metadata: ["file": "\(path)", "hours left": "\(left / 3600)"])
        }
    }
}
