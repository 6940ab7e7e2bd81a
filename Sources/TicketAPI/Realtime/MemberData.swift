internal import PusherProtocol
internal import PusherPublisher

extension User {
    /// Who this is, for the others on the broker: the JSON text of the id, under the name that the protocol gives it, and
    /// of name and role. Of a name that makes it larger than a broker takes, as many code points as there is room for.
    func memberData(idName: String) -> String {
        var name = self.name.unicodeScalars
        while true {
            let data = JSON.object([
                (idName, .string(String(self.id))),
                ("user_info", ["name": .string(String(name)), "role": .string(self.role.rawValue)]),
            ]).text
            if data.utf8.count <= Limits().presenceUserObject || name.popLast() == nil { return data }
        }
    }
}
