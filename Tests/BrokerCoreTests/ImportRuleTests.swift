import Foundation
import Support
import Testing

/// Which module may know which. The compiler does not keep this: a target can import a sibling that it did not declare.
@Suite struct ImportRuleTests {
    private struct Rule {
        /// The modules of ours that the target may import.
        let ours: Set<String>
        /// Whether it imports nothing else but the C library: no NIO, no logger, no Foundation.
        var isPure = false
    }

    private static let rules: [String: Rule] = [
        "COpenSSL": Rule(ours: [], isPure: true),
        "CEpoll": Rule(ours: [], isPure: true),
        "Digests": Rule(ours: ["COpenSSL"], isPure: true),
        "Wire": Rule(ours: [], isPure: true),
        "Addresses": Rule(ours: [], isPure: true),
        "PusherProtocol": Rule(ours: ["Digests"], isPure: true),
        "BrokerCore": Rule(ours: ["PusherProtocol"], isPure: true),
        "Telemetry": Rule(ours: []),
        "Broker": Rule(ours: [
            "CEpoll", "Digests", "Wire", "Addresses", "PusherProtocol", "BrokerCore", "Telemetry",
        ]),
        "PusherPublisher": Rule(ours: ["PusherProtocol"]),
        "PusherClient": Rule(ours: ["PusherProtocol", "Wire", "Digests"]),
        "LoadGenerator": Rule(ours: ["PusherClient", "PusherProtocol", "Wire"]),
        "APIDescription": Rule(ours: ["PusherPublisher"]),
        "TicketAPI": Rule(ours: [
            "APIDescription", "Digests", "Wire", "Addresses", "PusherProtocol", "PusherPublisher", "Telemetry",
        ]),
        "Webhooks": Rule(ours: ["Digests", "PusherProtocol", "Telemetry"]),
        "Runner": Rule(ours: [
            "Digests", "Addresses", "PusherProtocol", "BrokerCore", "Broker", "PusherPublisher", "TicketAPI",
            "Webhooks", "Telemetry", "PusherClient", "LoadGenerator",
        ]),
        "TicketBench": Rule(ours: []),
    ]

    /// The modules that a source text imports.
    private func imports(of source: String) -> [String] {
        source.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split { $0 == " " || $0 == "\t" }
            guard let keyword = words.firstIndex(of: "import"),
                words[..<keyword].allSatisfy({ word in
                    word.hasPrefix("@") || ["public", "package", "internal", "fileprivate", "private"].contains(word)
                })
            else { return nil }
            let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let"]
            let path = words[(keyword + 1)...].first { !kinds.contains($0) }
            return path?.split(separator: ".").first.map(String.init)
        }
    }

    private func targets() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: Vectors.root.appending(path: "Sources"), includingPropertiesForKeys: nil)
    }

    private func sources(of target: URL) -> [URL] {
        let files = FileManager.default.enumerator(at: target, includingPropertiesForKeys: nil)
        return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
    }

    @Test("Architecture: every target has a rule")
    func everyTargetHasARule() throws {
        #expect(Set(try self.targets().map(\.lastPathComponent)) == Set(Self.rules.keys))
    }

    @Test("Architecture: no target imports what it must not know", arguments: Self.rules.keys.sorted())
    func imports(_ name: String) throws {
        let rule = try #require(Self.rules[name])
        let target = try #require(try self.targets().first { $0.lastPathComponent == name })
        let sources = self.sources(of: target)
        #expect(!sources.isEmpty || ["COpenSSL", "CEpoll"].contains(name))
        for source in sources {
            for module in self.imports(of: try String(contentsOf: source, encoding: .utf8)) {
                let isAllowed =
                    rule.ours.contains(module) || module == "Glibc" || (!rule.isPure && Self.rules[module] == nil)
                #expect(isAllowed, "\(name)/\(source.lastPathComponent) imports \(module)")
            }
        }
    }

    @Test(
        "Architecture: an import is found in all its forms",
        arguments: [
            ("import A", ["A"]), ("package import A", ["A"]),
            ("@preconcurrency internal import A\nimport B", ["A", "B"]),
            ("import struct A.B", ["A"]), ("  import A.B", ["A"]), ("// import A", []), ("/// Some import A", []),
            ("let a = 1", []),
        ] as [(String, [String])])
    func findsImports(_ vector: (source: String, modules: [String])) {
        #expect(self.imports(of: vector.source) == vector.modules)
    }
}
