import Foundation
import PusherProtocol

/// Foundation's JSON parser, made as strict as RFC 8259 and no stricter.
///
/// Where it is lax: a comma before the end of an array or object, a byte order mark (and with it other encodings), and a
/// zero byte behind a number. Where it is strict: lone surrogates in escapes, and numbers beyond `Double`.
enum FoundationJSON {
    /// Whether `text` is JSON. `isAsIs` leaves Foundation's own opinion as it is.
    static func accepts(_ text: String, asIs isAsIs: Bool = false) -> Bool {
        var text = text
        if !isAsIs {
            guard !text.utf8.contains(0), !text.utf8.starts(with: [0xEF, 0xBB, 0xBF]),
                !self.hasCommaBeforeEnd(text)
            else { return false }
            text = self.withoutSurrogatesAndLargeNumbers(text)
        }
        return (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
    }

    /// What `text` says, as Foundation's objects; nil when it is not JSON.
    static func value(_ text: String) -> Any? {
        // Only used with text that is JSON: any error is the disagreement that the caller reports.
        try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }

    /// Whether a slice says the same as a Foundation object. Objects must have distinct names.
    static func agrees(_ slice: JSONSlice, _ value: Any) throws -> Bool {
        let text = String(decoding: slice.bytes, as: UTF8.self)
        switch slice.kind {
        case .null: return value is NSNull
        case .boolean: return (value as? NSNumber)?.boolValue == slice.bytes.elementsEqual("true".utf8)
        case .string:
            guard let string = value as? String else { return false }
            return string.utf8.elementsEqual((slice.string ?? "").utf8) && slice.decodedCount == string.utf8.count
        case .number:
            guard let number = (value as? NSNumber)?.doubleValue, let own = Double(text) else { return false }
            return abs(number - own) <= abs(own) * 1e-12
        case .array:
            guard let array = value as? [Any] else { return false }
            var index = 0
            var agrees = true
            try JSONReader.elements(of: slice.bytes) { element in
                // A disagreement inside stops nothing: it is reported once, at the end.
                agrees = agrees && index < array.count && (try? self.agrees(element, array[index])) == true
                index += 1
            }
            return agrees && index == array.count
        case .object:
            guard let object = value as? [String: Any] else { return false }
            var count = 0
            var agrees = true
            try JSONReader.members(of: slice.bytes) { name, member in
                agrees = agrees && object[name.description].map { (try? self.agrees(member, $0)) == true } == true
                count += 1
            }
            return agrees && count == object.count
        }
    }

    private static func hasCommaBeforeEnd(_ text: String) -> Bool {
        var isInString = false
        var isEscaped = false
        var isBehindComma = false
        for byte in text.utf8 {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if isBehindComma { return true }
            case 0x20, 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "\""): isInString = true
            default: break
            }
            isBehindComma = byte == UInt8(ascii: ",")
        }
        return false
    }

    /// Writes `\u0041` for every escaped surrogate, zeros for the digits of every exponent, and at most 300 digits in a row;
    /// none of it changes whether the text is JSON.
    private static func withoutSurrogatesAndLargeNumbers(_ text: String) -> String {
        var digits = 0
        var bytes = text.utf8.filter { byte in
            digits = (48...57).contains(byte) ? digits + 1 : 0
            return digits <= 300
        }
        var index = 0
        while index < bytes.count {
            let isSurrogate =
                bytes[index] == UInt8(ascii: "u") && index + 2 < bytes.count && bytes[index + 1] | 0x20 == 0x64
                && "89abcdefABCDEF".utf8.contains(bytes[index + 2])
            if isSurrogate {
                bytes[index + 1] = UInt8(ascii: "0")
                bytes[index + 2] = UInt8(ascii: "0")
            }
            if bytes[index] | 0x20 == UInt8(ascii: "e") {
                var digit = index + 1
                if digit < bytes.count, bytes[digit] == UInt8(ascii: "+") || bytes[digit] == UInt8(ascii: "-") {
                    digit += 1
                }
                while digit < bytes.count, (48...57).contains(bytes[digit]) {
                    bytes[digit] = 48
                    digit += 1
                }
            }
            index += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
