package import PusherProtocol
internal import Synchronization

/// The credentials of an app, which may be replaced while they are in use. Any thread may call it.
package final class LiveCredentials: Sendable {
    private let value: Mutex<AppCredentials>

    package init(_ credentials: AppCredentials) {
        self.value = Mutex(credentials)
    }

    /// The present ones. Take them once for each thing that is signed.
    package var current: AppCredentials { self.value.withLock { $0 } }

    package func replace(with credentials: AppCredentials) {
        self.value.withLock { $0 = credentials }
    }
}
