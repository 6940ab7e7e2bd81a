import Broker
import Foundation
import NIOSSL

/// A self-signed certificate for `localhost` in a directory of its own, made by the `openssl` command.
final class TestCertificate: Sendable {
    let directory: URL
    let files: TLSFiles

    struct Failure: Error {
        let arguments: [String]
    }

    /// - Parameter days: how long it is valid from now on.
    init(days: Int = 30) throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "switchboard-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        self.files = TLSFiles(
            certificate: self.directory.appending(path: "certificate.pem").path(),
            key: self.directory.appending(path: "key.pem").path())
        try self.renew(days: days)
    }

    deinit { try? FileManager.default.removeItem(at: self.directory) }

    /// Puts another certificate and another key into the same files.
    func renew(days: Int = 30) throws {
        try Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "\(days)",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", self.files.key, "-out",
            self.files.certificate,
        ])
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self.files.key)
    }

    /// What a client needs that trusts this certificate only, at present.
    func client(maximum: TLSVersion? = nil) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(self.files.certificate))
        configuration.maximumTLSVersion = maximum
        return try NIOSSLContext(configuration: configuration)
    }

    static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
    }
}
