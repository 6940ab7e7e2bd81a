import Digests
import Testing

@Suite struct DigestTests {
    @Test(
        "FIPS 180-4: SHA-256 of the published examples",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(_ vector: (text: String, hex: String)) {
        #expect(SHA256.digest(vector.text).hex == vector.hex)
        #expect(SHA256.digest(Array(vector.text.utf8)).hex == vector.hex)
    }

    @Test(
        "RFC 1321: MD5 of the published examples",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ])
    func md5(_ vector: (text: String, hex: String)) {
        #expect(MD5.hex(Array(vector.text.utf8)) == vector.hex)
        #expect(MD5.hex(UnsafeRawBufferPointer(start: nil, count: 0)) == "d41d8cd98f00b204e9800998ecf8427e")
    }

    @Test("RFC 6455 1.3: the example of Sec-WebSocket-Accept")
    func sha1() {
        let text = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        #expect(Base64.encode(SHA1.digest(Array(text.utf8))) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test(
        "RFC 4231: HMAC-SHA256 with short, long and longest keys",
        arguments: [
            (
                Array(repeating: 0x0B, count: 20), "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                Array(repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ] as [([UInt8], String, String)])
    func hmac(_ vector: (key: [UInt8], message: String, hex: String)) {
        let hmac = HMACSHA256(key: vector.key)
        #expect(hmac.code(for: vector.message).hex == vector.hex)
        #expect(hmac.code(for: vector.message).hex == vector.hex, "the key serves again")
    }

    @Test("RFC 2104: keys around the block length differ from each other", arguments: [0, 1, 63, 64, 65])
    func keyLengths(_ count: Int) {
        let key = [UInt8](repeating: 1, count: count)
        #expect(HMACSHA256(key: key).code(for: "") != HMACSHA256(key: key + [1]).code(for: ""))
        // A key of at most 64 bytes is padded with zeros (section 2); a longer one is hashed first.
        #expect((HMACSHA256(key: key).code(for: "") == HMACSHA256(key: key + [0]).code(for: "")) == (count < 64))
    }

    @Test("RFC 7914 12: scrypt of the published examples")
    func scrypt() throws {
        let key = try Scrypt.derive(
            password: "password", salt: Array("NaCl".utf8), cost: Scrypt.Cost(n: 1024, r: 8, p: 16), length: 64)
        #expect(
            Hex.encode(key) == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                + "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640")
        let empty = try Scrypt.derive(password: "", salt: [], cost: Scrypt.Cost(n: 16, r: 1, p: 1), length: 64)
        #expect(Hex.encode(empty).hasPrefix("77d6576238657b203b19ca42c18a0497"))
    }

    @Test(
        "RFC 7914 6: parameters that are out of range are refused",
        arguments: [Scrypt.Cost(n: 3, r: 8, p: 1), Scrypt.Cost(n: 1 << 40, r: 8, p: 1)])
    func scryptParameters(_ cost: Scrypt.Cost) {
        #expect(throws: Scrypt.Failed.self) { try Scrypt.derive(password: "a", salt: [1], cost: cost) }
    }

    @Test(
        "RFC 4648 10: Base64 of the published examples",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
        ])
    func base64(_ vector: (text: String, base64: String)) {
        #expect(Base64.encode(Array(vector.text.utf8)) == vector.base64)
    }

    @Test("RFC 4648 8: every byte has its two digits in lower case")
    func hex() {
        for byte in UInt8.min...UInt8.max {
            let expected = (byte < 16 ? "0" : "") + String(byte, radix: 16)
            #expect(Hex.encode([byte]) == expected)
        }
    }
}
