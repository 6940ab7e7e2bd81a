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

    @Test("8.1: the elements of an array are there one by one: a comma may be part of one")
    func elements() throws {
        let query = try #require(QueryParameters("channels[]=a,b&x=1&Channels%5B7%5D=c&info=a,b"))
        #expect(query["channels"] == "a,b,c")
        #expect(query.elements(of: "channels") == ["a,b", "c"])
        #expect(query.elements(of: "info") == nil && query.elements(of: "x") == nil && query.elements(of: "y") == nil)
    }

    @Test(
        "8.2: parameters that nobody asked for are known by name, sorted, each once",
        arguments: [
            ("auth_key=1&auth_other=1&body_md5=1", []), ("info=1", []), ("Info=1&info[]=2", []),
            ("x=1&b=1&x=2&A%20=1", ["a ", "b", "x"]), ("body_md=1&auth=1", ["auth", "body_md"]),
        ] as [(String, [String])])
    func extraneous(_ vector: (query: String, names: [String])) throws {
        let query = try #require(QueryParameters(vector.query))
        #expect(query.extraneous(besides: ["info"]) == vector.names)
        #expect(query.extraneous(besides: []) == (vector.names + (query["info"] == nil ? [] : ["info"])).sorted())
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
