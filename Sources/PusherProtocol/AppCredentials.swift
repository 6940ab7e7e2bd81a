package import Digests

/// What identifies an app and proves the right to act for it: public id, public key, one or two secrets.
package struct AppCredentials: Sendable {
    /// The app id in the path of the HTTP API (`/apps/{id}/…`).
    package let id: String
    /// The public key: in the WebSocket path (`/app/{key}`), in every signature and in `auth_key`.
    package let key: String
    /// The older secret while two are live; it signs what this program sends (9.1 of the protocol facts).
    package let secret: AppSecret
    /// The one that replaces it: until the older one is taken out, signatures with either are accepted.
    package let nextSecret: AppSecret?

    package init(id: String, key: String, secret: AppSecret, nextSecret: AppSecret? = nil) {
        self.id = id
        self.key = key
        self.secret = secret
        self.nextSecret = nextSecret
    }

    /// Whether `hex` is the signature of `text` with one of the secrets, in lower-case hexadecimal. In constant time.
    package func accepts(_ hex: String, asSignatureOf text: String) -> Bool {
        var (hex, text) = (hex, text)
        return hex.withUTF8 { hex in
            text.withUTF8 { self.accepts(UnsafeRawBufferPointer(hex), asSignatureOf: UnsafeRawBufferPointer($0)) }
        }
    }

    /// The same of UTF-8.
    func accepts(_ hex: UnsafeRawBufferPointer, asSignatureOf text: UnsafeRawBufferPointer) -> Bool {
        self.secret.sign(text).matches(hex: hex) || self.nextSecret?.sign(text).matches(hex: hex) ?? false
    }
}

/// An app's secret. It signs; it is never printed, whatever prints it.
package struct AppSecret: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let hmac: HMACSHA256

    package init(_ text: String) {
        self.hmac = HMACSHA256(key: text.utf8)
    }

    /// HMAC-SHA256 of the UTF-8 bytes of `text`.
    package func sign(_ text: String) -> Digest32 { self.hmac.code(for: text) }

    func sign(_ text: UnsafeRawBufferPointer) -> Digest32 { self.hmac.code(for: text) }

    package var description: String { "<secret>" }
    package var debugDescription: String { "<secret>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
