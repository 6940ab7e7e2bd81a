/// An HTTP API request that is refused: a status and the text of its body (8.2 of the protocol facts).
package struct RequestRejection: Error, Equatable, Sendable {
    package let status: Int
    package let message: String

    package init(status: Int, message: String) {
        self.status = status
        self.message = message
    }

    package static func badRequest(_ message: String) -> RequestRejection {
        RequestRejection(status: 400, message: message)
    }
}
