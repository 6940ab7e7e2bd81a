/// Who signs in: the content of `user_data` (5.1 of the protocol facts).
package struct UserData: Equatable, Sendable {
    /// 1 to `ChannelName.maxUserID` characters of the alphabet of channel names.
    package let id: String
    /// The channel of the user's events.
    package let channel: ChannelName
    /// The JSON of `user_info`, byte for byte; `null` when it was absent.
    package let userInfo: [UInt8]
    /// The channels of the users in `watchlist`, each once, in order; no more than the limit.
    package let watchlist: [ChannelName]
    /// Whether `watchlist` named more than that (P108).
    package let watchlistIsCut: Bool

    /// Reads `user_data`. An id that is missing, empty, a number, or has other characters is refused (P99).
    package init(_ userData: String, watchlistLimit: Int) throws(ProtocolError) {
        var id: String?
        var userInfo = Array("null".utf8)
        var watchlist: [ChannelName?] = []
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
                    try JSONReader.elements(of: list.bytes) {
                        watchlist.append($0.string.flatMap(ChannelName.init(user:)))
                    }
                } else if let list, list.kind != .null {
                    watchlist = [nil]
                }
            }
        }
        guard case .success = isObject else { throw .invalidUserData("it is not a JSON object") }
        guard let id else { throw .invalidUserData("id is missing or not a string") }
        guard let channel = ChannelName(user: id) else {
            throw .invalidUserData("id is not 1 to \(ChannelName.maxUserID) letters, digits or any of _-=@,.;")
        }
        guard watchlist.allSatisfy({ $0 != nil }) else {
            throw .invalidUserData("watchlist is not a list of user ids")
        }
        self.id = id
        self.channel = channel
        self.userInfo = userInfo
        var seen: Set<ChannelName> = []
        let distinct = watchlist.compactMap { $0 }.filter { seen.insert($0).inserted }
        self.watchlist = Array(distinct.prefix(watchlistLimit))
        self.watchlistIsCut = distinct.count > watchlistLimit
    }
}
