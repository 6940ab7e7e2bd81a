internal import Digests

/// The session cookie of a browser.
///
/// Somebody who has not logged in costs no row: the value is random and known to nobody else, and that is all that a
/// check of the CSRF token needs. A login replaces it by the session's.
struct SessionCookie: Sendable {
    static let name = "switchboard_session"

    let text: String
    /// The session that it stands for, which need not exist any more; nil for a guest's.
    let session: AccessToken.Presented?

    static func guest() throws -> SessionCookie {
        SessionCookie(text: try AccessToken.Secret().text, session: nil)
    }

    init(_ token: AccessToken) {
        self.init(text: token.text, session: AccessToken.Presented(token.text, as: .session))
    }

    /// nil for what this server never made.
    init?(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let secret = parts.last, secret.count == AccessToken.Secret.length,
            secret.allSatisfy(Self.isAlphanumeric),
            parts.count <= 2
        else { return nil }
        let session = AccessToken.Presented(text, as: .session)
        if parts.count == 2 {
            guard let id = session?.id, id > 0, String(id).utf8.elementsEqual(parts[0]) else { return nil }
        }
        self.init(text: String(text), session: session)
    }

    private init(text: String, session: AccessToken.Presented?) {
        self.text = text
        self.session = session
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
