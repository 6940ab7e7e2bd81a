import Glibc

/// How a password comes in: never by a flag, which every user of the machine could read.
enum Password {
    /// Asks twice when standard input is a terminal; else takes one line of it.
    static func read() throws(StartFailure) -> String {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(strippingNewline: true), !line.isEmpty else {
                throw .usage("no password: standard input must hold it, on one line")
            }
            return line
        }
        let password = try self.ask("Password: ")
        guard try self.ask("Again: ") == password else { throw .usage("the two passwords differ") }
        guard !password.isEmpty else { throw .usage("the password is empty") }
        return password
    }

    /// Reads a line from the terminal without showing it.
    private static func ask(_ prompt: String) throws(StartFailure) -> String {
        var normal = termios()
        guard tcgetattr(STDIN_FILENO, &normal) == 0 else {
            throw .unavailable("cannot use the terminal: \(lastSystemError())")
        }
        var silent = normal
        // Ctrl-C comes as a character: as a signal it would leave a terminal behind that shows nothing any more.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else {
            throw .unavailable("cannot use the terminal: \(lastSystemError())")
        }
        StandardError.write(prompt)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &normal)
            StandardError.write("\n")
        }

        var line: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            guard Glibc.read(STDIN_FILENO, &byte, 1) == 1 else { throw .usage("no password was entered") }
            switch byte {
            case 10, 13: return String(decoding: line, as: UTF8.self)
            case 3, 4, 28: throw .usage("no password was entered")  // Ctrl-C, Ctrl-D, Ctrl-\
            case 21: line.removeAll()  // Ctrl-U
            case 8, 127:
                // One character, which may be several bytes.
                while let last = line.popLast(), last & 0xC0 == 0x80 {}
            default: if line.count < 1024 { line.append(byte) }
            }
        }
    }
}
