import PusherProtocol

// Who signs in (`user_data`), who joins (`channel_data`), who is to be ended, and what is asked about channels.

private let limits = Limits()
private let channel = ChannelName("presence-room", limit: 164)!

private func isJSON(_ bytes: [UInt8]) -> Bool { FoundationJSON.accepts(String(decoding: bytes, as: UTF8.self)) }

private func check(_ user: UserData, _ text: String) {
    require((1...ChannelName.maxUserID).contains(user.id.utf8.count), "a user's id keeps its limit")
    require(user.channel.text == "#server-to-user-\(user.id)", "a user has a channel")
    require(user.watchlist.count <= limits.watchlist, "a watchlist keeps its limit")
    require(Set(user.watchlist).count == user.watchlist.count, "each user is watched once")
    if let info = user.userInfo {
        require(info.count <= limits.presenceUserObject && isJSON(info), "user_info is JSON and keeps its limit")
    }
    require(isJSON(ServerFrame.signInSucceeded(userData: text)), "who is signed in is told JSON")
    if let member = try? PresenceMember(user: user, limits: limits) { check(member) }
}

private func check(_ member: PresenceMember) {
    require(!member.userID.isEmpty && member.userID.unicodeScalars.count <= limits.userID, "a user id keeps its limit")
    require(isJSON(member.userInfo), "user_info is JSON")
    require(isJSON(ServerFrame.memberAdded(channel: channel, member: member)), "an announcement is JSON")
    require(isJSON(ServerFrame.memberRemoved(channel: channel, userID: member.userID)), "a removal is JSON")
    require(isJSON(ServerFrame.subscriptionSucceeded(channel: channel, members: [member])), "a roster is JSON")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = input(start, count)
    guard let text = String(validating: bytes, as: UTF8.self) else { return 0 }
    do throws(ProtocolError) {
        check(try UserData(text, limits: limits), text)
    } catch {
        require(isJSON(ServerFrame.error(error)), "an error is JSON")
    }
    do throws(ProtocolError) {
        let member = try PresenceMember(channelData: text, limits: limits)
        require(bytes.count <= limits.presenceUserObject, "channel_data keeps its limit")
        check(member)
    } catch {
        require(isJSON(ServerFrame.error(error)), "an error is JSON")
    }
    bytes.withUnsafeBytes { bytes in
        do throws(RequestRejection) {
            let request = try TerminationRequest(decoding: bytes, limits: limits)
            require(request.sockets.count <= limits.socketsPerTermination, "a termination keeps its limit")
        } catch {
            require(error.status == 400, "a rejection is the caller's fault")
        }
    }
    let defined: ChannelAttributes = [.userCount, .subscriptionCount]
    require(ChannelAttributes(text, keeping: defined).isSubset(of: defined), "only what is defined is kept")
    do throws(RequestRejection) {
        require(try ChannelAttributes(text, allowing: defined).isSubset(of: defined), "only what is defined is allowed")
    } catch {
        require(error.status == 400, "a rejection is the caller's fault")
    }
    return 0
}
