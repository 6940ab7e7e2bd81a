import Broker
import NIOSSL
import Support

extension TestCertificate {
    var files: TLSFiles { TLSFiles(certificate: self.certificate, key: self.key) }

    /// What a client needs that trusts this certificate only, at present.
    func client(maximum: TLSVersion? = nil) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(self.certificate))
        configuration.maximumTLSVersion = maximum
        return try NIOSSLContext(configuration: configuration)
    }
}
