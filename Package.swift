// swift-tools-version: 6.1
import PackageDescription

let language: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
// Set by 'make test'. The dependencies are compiled with their warnings off either way.
let strict: [SwiftSetting] =
    Context.environment["SWITCHBOARD_STRICT"] == "1" ? [.unsafeFlags(["-warnings-as-errors"])] : []
let settings = language + strict

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")

let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "switchboard",
    products: [
        .executable(name: "switchboard", targets: ["Runner"]),
        .executable(name: "ticket-bench", targets: ["TicketBench"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0", traits: []),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", exact: "0.2.0"),
    ],
    targets: [
        // Debian's OpenSSL 3, digests only.
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        // Linux's epoll and eventfd.
        .systemLibrary(name: "CEpoll"),

        // Pure: no NIO, no clock, no logger, no async.
        .target(name: "Digests", dependencies: ["COpenSSL"], swiftSettings: settings),
        .target(name: "Wire", swiftSettings: settings),
        .target(name: "Addresses", swiftSettings: settings),
        .target(name: "PusherProtocol", dependencies: ["Digests"], swiftSettings: settings),
        .target(name: "BrokerCore", dependencies: ["PusherProtocol"], swiftSettings: settings),

        // What the parts tell of themselves: metrics, and signs of life.
        .target(name: "Telemetry", swiftSettings: settings),

        .target(
            name: "Broker",
            dependencies: [
                "CEpoll", "PusherProtocol", "Wire", "Addresses", "BrokerCore", "Digests", "Telemetry", nioCore,
                nioPosix, nioSSL, logging, lifecycle,
            ],
            swiftSettings: settings
        ),
        .target(
            name: "PusherPublisher",
            dependencies: ["PusherProtocol", nioCore, nioHTTP1, httpClient],
            swiftSettings: settings
        ),
        .target(
            name: "PusherClient",
            dependencies: [
                "PusherProtocol", "Wire", "Digests", nioCore, nioPosix, nioSSL,
                .product(name: "NIOTLS", package: "swift-nio"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "LoadGenerator",
            dependencies: ["PusherClient", "PusherProtocol", "Wire", nioCore, nioPosix, histogram],
            swiftSettings: settings
        ),
        // protocol-spec/openapi.yaml, compiled in through a link to it.
        .target(
            name: "APIDescription",
            dependencies: ["PusherPublisher", .product(name: "Yams", package: "Yams")],
            resources: [.embedInCode("openapi.yaml")],
            swiftSettings: settings
        ),
        .target(
            name: "TicketAPI",
            dependencies: [
                "APIDescription", "PusherProtocol", "PusherPublisher", "Digests", "Wire", "Addresses", "Telemetry",
                nioCore, nioPosix, nioHTTP1, logging, lifecycle,
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .target(
            name: "Webhooks",
            dependencies: [
                "PusherProtocol", "Digests", "Telemetry", nioCore, nioPosix, nioHTTP1, httpClient, logging, lifecycle,
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Runner",
            dependencies: [
                "Broker", "TicketAPI", "BrokerCore", "PusherPublisher", "PusherProtocol", "PusherClient",
                "LoadGenerator", "Webhooks", "Digests", "Addresses", "Telemetry", nioCore, nioPosix, nioHTTP1,
                histogram, logging, lifecycle,
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings
        ),

        // 'make bench-tickets': measures the program from outside, beside a bare Hummingbird.
        .executableTarget(
            name: "TicketBench",
            dependencies: [
                logging, .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),

        // Vectors, seeded random numbers and reserved ports for the tests.
        .target(name: "Support", path: "Tests/Support", swiftSettings: settings),
        .testTarget(name: "DigestsTests", dependencies: ["Digests"], swiftSettings: settings),
        .testTarget(name: "AddressesTests", dependencies: ["Addresses"], swiftSettings: settings),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: settings),
        .testTarget(name: "WireTests", dependencies: ["Wire", "Support"], swiftSettings: settings),
        .testTarget(
            name: "PusherProtocolTests", dependencies: ["PusherProtocol", "Support"], swiftSettings: settings),
        .testTarget(
            name: "BrokerCoreTests", dependencies: ["BrokerCore", "PusherProtocol", "Support"],
            swiftSettings: settings),
        .testTarget(
            name: "BrokerTests",
            dependencies: [
                "Broker", "BrokerCore", "Addresses", "PusherProtocol", "Digests", "Telemetry", "Support", nioCore,
                nioPosix, nioSSL, logging,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "PusherClientTests",
            dependencies: [
                "PusherClient", "Broker", "BrokerCore", "PusherProtocol", "Digests", "Wire", "Support", nioCore,
                nioPosix, nioSSL, logging, lifecycle,
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "LoadGeneratorTests", dependencies: ["LoadGenerator", "PusherClient", "PusherProtocol", histogram],
            swiftSettings: settings),
        .testTarget(
            name: "TicketAPITests",
            dependencies: [
                "TicketAPI", "Broker", "BrokerCore", "PusherPublisher", "PusherProtocol", "Digests", "Addresses",
                "Telemetry", "Support", nioCore, nioPosix, nioHTTP1, logging, lifecycle, httpClient,
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: settings
        ),
        .testTarget(
            name: "RunnerTests", dependencies: ["Runner", "Telemetry", nioCore, nioPosix], swiftSettings: settings),
        .testTarget(
            name: "WebhooksTests",
            dependencies: [
                "Webhooks", "PusherProtocol", "Digests", "Telemetry", "Support", nioCore, nioPosix, nioHTTP1, logging,
                lifecycle,
            ],
            swiftSettings: settings
        ),
    ]
)

// 'make autobahn' puts the sources there: the broker's, patched to echo. No target of any other build.
if Context.environment["SWITCHBOARD_AUTOBAHN"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "AutobahnEcho", dependencies: package.targets.first { $0.name == "Broker" }?.dependencies ?? [],
            path: ".build/autobahn/AutobahnEcho", swiftSettings: settings))
}

// 'make bench-micro' counts what these cost. They have the hub's sources by a link, and no other build has them.
if Context.environment["SWITCHBOARD_BENCHMARKS"] == "1" {
    package.targets += [
        .target(name: "Counting", path: "Benchmarks/Counting"),
        .executableTarget(
            name: "MicroBench",
            dependencies: [
                "Counting", "Wire", "PusherProtocol", "BrokerCore", "Telemetry", nioCore,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Benchmarks/MicroBench", swiftSettings: settings),
    ]
}
