/// What a backup holds, for the operator.
package struct BackupSummary: Sendable {
    package let createdAt: Timestamp
    package let users: Int64
    package let tickets: Int64
    package let messages: Int64
    package let attachments: Int64
    /// Whether the app's generated credentials are in it.
    package let hasCredentials: Bool
    /// Bytes of the file.
    package let size: Int64
}

/// What a slow command is doing, and how far it has come (0 to 1).
package struct OperationProgress: Sendable {
    package let activity: String
    package let fraction: Double
}

package typealias ProgressReport = @Sendable (OperationProgress) -> Void
