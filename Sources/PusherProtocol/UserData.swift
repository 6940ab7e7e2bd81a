/// Who signs in: the content of `user_data` (5.1 of the protocol facts).
package struct UserData: Equatable, Sendable {
    /// 1 to `ChannelName.maxUserID` characters of the alphabet of channel names.
    package let id: String
    /// The channel of the user's events.
    package let channel: ChannelName
    /// The JSON of `user_info`, byte for byte; `null` when it was absent. nil when it is over the limit of presence
    /// channels, where alone it matters.
    package let userInfo: [UInt8]?
    /// The channels of the users in `watchlist`, each once, in order; no more than the limit.
    package let watchlist: [ChannelName]
    /// Whether `watchlist` named more than that (P108).
    package let watchlistIsCut: Bool

    /// Reads `user_data`. An id that is missing, empty, a number, or has other characters is refused (P99). What is no
    /// user id in `watchlist` is passed over: such a user can never be there.
    package init(_ userData: String, limits: Limits) throws(ProtocolError) {
        var id: String?
        var userInfo = Array("null".utf8)
        var watchlist: [ChannelName] = []
        var text = userData
        let isObject = text.withUTF8 { bytes in
            Result { () throws(JSONFailure) in
                var list: JSONSlice?
                try JSONReader.members(of: UnsafeRawBufferPointer(bytes)) { name, value in
                    switch name {
                    case "id": id = value.string
                    case "user_info": userInfo = Array(value.bytes)
                    case "watchlist": list = value
                    default: break
                    }
                }
                if let list, list.kind == .array {
                    try JSONReader.elements(of: list.bytes) { element in
                        if let user = element.userID.flatMap(ChannelName.init(user:)) { watchlist.append(user) }
                    }
                }
            }
        }
        guard case .success = isObject else { throw .invalidUserData("it is not a JSON object") }
        guard let id else { throw .invalidUserData("id is missing or not a string") }
        guard let channel = ChannelName(user: id) else {
            throw .invalidUserData("id is not 1 to \(ChannelName.maxUserID) letters, digits or any of _-=@,.;")
        }
        self.id = id
        self.channel = channel
        self.userInfo = userInfo.count <= limits.presenceUserObject ? userInfo : nil
        var seen: Set<ChannelName> = []
        let distinct = watchlist.filter { seen.insert($0).inserted }
        self.watchlist = Array(distinct.prefix(limits.watchlist))
        self.watchlistIsCut = distinct.count > limits.watchlist
    }
}
