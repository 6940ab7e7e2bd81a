/// Who joins a presence channel: the content of `channel_data` (3.8 of the protocol facts).
package struct PresenceMember: Equatable, Sendable {
    /// Always text: `17` and `"17"` are the same user (P71).
    package let userID: String
    /// The JSON of `user_info`, byte for byte; `null` when it was absent (P63).
    package let userInfo: [UInt8]

    package init(userID: String, userInfo: [UInt8]) {
        self.userID = userID
        self.userInfo = userInfo
    }

    /// Reads `channel_data` and checks it against the limits (P75, P76).
    package init(channelData: String, limits: Limits) throws(ProtocolError) {
        guard channelData.utf8.count <= limits.presenceUserObject else {
            throw .invalidChannelData("it is over \(limits.presenceUserObject) bytes")
        }
        var userID: String?
        var userInfo = Array("null".utf8)
        var text = channelData
        let isObject = text.withUTF8 { bytes in
            Result { () throws(JSONFailure) in
                try JSONReader.members(of: UnsafeRawBufferPointer(bytes)) { name, value in
                    switch name {
                    case "user_id": userID = value.userID
                    case "user_info": userInfo = Array(value.bytes)
                    default: break
                    }
                }
            }
        }
        guard case .success = isObject else { throw .invalidChannelData("it is not a JSON object") }
        guard let userID, !userID.isEmpty else { throw .invalidChannelData("user_id is missing") }
        try self.init(checking: userID, userInfo: userInfo, limits: limits)
    }

    /// The member that a signed-in user is (P81).
    package init(user: UserData, limits: Limits) throws(ProtocolError) {
        guard let userInfo = user.userInfo else {
            throw .invalidChannelData("the signed-in user's user_info is over \(limits.presenceUserObject) bytes")
        }
        try self.init(checking: user.id, userInfo: userInfo, limits: limits)
    }

    private init(checking userID: String, userInfo: [UInt8], limits: Limits) throws(ProtocolError) {
        guard userID.unicodeScalars.count <= limits.userID else {
            throw .invalidChannelData("user_id is over \(limits.userID) characters")
        }
        self.init(userID: userID, userInfo: userInfo)
    }
}

extension JSONSlice {
    /// The user id that a string or a number is; a number is its text (P71).
    var userID: String? {
        switch self.kind {
        case .string: self.string
        case .number: String(decoding: self.bytes, as: UTF8.self)
        default: nil
        }
    }
}
