import PusherProtocol
import Testing

@Suite struct QueryParametersTests {
    @Test(
        "8.3: parameters are decoded in order, with names in lower case and pluses left alone",
        arguments: [
            ("", []), ("a=1&b=2", ["a=1", "b=2"]), ("A%42=%c3%A9+%2B", ["ab=é++"]), ("a", ["a="]), ("a=", ["a="]),
            ("=a", ["=a"]),
            ("a=b=c", ["a=b=c"]), ("&&a=1&&", ["a=1"]), ("a=1&a=2", ["a=1", "a=2"]), ("a=%26%3D", ["a=&="]),
            ("a=%00", ["a=\0"]),
        ] as [(String, [String])])
    func parses(_ vector: (query: String, parameters: [String])) throws {
        let query = try #require(QueryParameters(vector.query))
        #expect(query.parameters.map { "\($0.name)=\($0.value)" } == vector.parameters)
    }

    @Test(
        "8.3: array forms are folded as PHP signs them",
        arguments: [
            ("info[]=a&info[]=b", ["info=a,b"]), ("info[0]=a&x=1&info[1]=b", ["info=a,b", "x=1"]),
            ("info%5B%5D=a&info%5b1%5d=b", ["info=a,b"]), ("info[a]=1&info[b]=2", ["info[a]=1", "info[b]=2"]),
            ("[]=1", ["[]=1"]), ("a]=1", ["a]=1"]),
        ] as [(String, [String])])
    func foldsArrays(_ vector: (query: String, parameters: [String])) throws {
        let query = try #require(QueryParameters(vector.query))
        #expect(query.parameters.map { "\($0.name)=\($0.value)" } == vector.parameters)
    }

    @Test(
        "8.3: a malformed escape or what is not UTF-8 is refused",
        arguments: ["a=%", "a=%4", "a=%4g", "a=%g4", "%zz=1", "a=%ff", "a=%c3", "a=%ed%a0%80", "a=%+1"])
    func refuses(_ query: String) {
        #expect(QueryParameters(query) == nil)
    }

    @Test("8.3: a value is looked up by its name; the first one counts")
    func lookUp() throws {
        let query = try #require(QueryParameters("A=1&a=2&b="))
        #expect(query["a"] == "1")
        #expect(query["b"] == "")
        #expect(query["c"] == nil)
    }

    @Test("8.3: so many parameters are read, and more are refused", arguments: ["a", "a[]", "%41=%42"])
    func count(_ pair: String) {
        let limit = QueryParameters.maxParameters
        #expect(QueryParameters(Array(repeating: pair, count: limit).joined(separator: "&")) != nil)
        #expect(QueryParameters("&&" + Array(repeating: pair, count: limit).joined(separator: "&&") + "&&") != nil)
        #expect(QueryParameters(Array(repeating: pair, count: limit + 1).joined(separator: "&")) == nil)
    }
}
