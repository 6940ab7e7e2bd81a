package import Foundation

/// A self-signed certificate for `localhost` in a directory of its own, made by the `openssl` command.
package final class TestCertificate: Sendable {
    package let directory: URL
    package var certificate: String { self.directory.appending(path: "certificate.pem").path() }
    package var key: String { self.directory.appending(path: "key.pem").path() }

    package struct Failure: Error {
        let arguments: [String]
    }

    /// - Parameter days: how long it is valid from now on.
    package init(days: Int = 30) throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "switchboard-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        try self.renew(days: days)
    }

    deinit { try? FileManager.default.removeItem(at: self.directory) }

    /// Puts another certificate and another key into the same files.
    package func renew(days: Int = 30) throws {
        try Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "\(days)",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", self.key, "-out",
            self.certificate,
        ])
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: self.key)
    }

    package static func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(arguments: arguments) }
    }
}
