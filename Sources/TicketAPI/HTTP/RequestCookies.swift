internal import HTTPTypes

extension HTTPFields {
    /// The first cookie of this name whose value `parse` takes.
    func cookie<T>(_ name: String, _ parse: (Substring) -> T?) -> T? {
        CookieHeader.first(name, in: self[values: .cookie], parse)
    }
}
