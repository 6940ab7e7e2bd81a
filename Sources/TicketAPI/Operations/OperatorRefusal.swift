/// Why an operator's command did nothing. The text is one line.
package enum OperatorRefusal: Error, CustomStringConvertible {
    /// What the command names is not there.
    case unknown(String)
    /// It is there, and this may not be done to it, or not now.
    case refused(String)

    package var description: String {
        switch self {
        case .unknown(let text), .refused(let text): text
        }
    }
}
