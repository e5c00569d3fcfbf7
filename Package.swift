// swift-tools-version: 6.3
// SPDX-License-Identifier: MIT

import PackageDescription

/// Whether scripts/fuzz builds: what it adds links with a fuzzer alone.
let isFuzzing = Context.environment["FUZZING"] != nil

/// What the fuzzer follows; of two sanitizers on a command line, only the last instruments.
let coverage = "-sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table"

let settings: [SwiftSetting] =
    [
        .strictMemorySafety(),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InferIsolatedConformances"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .enableUpcomingFeature("ImmutableWeakCaptures"),
    ] + (isFuzzing ? [.unsafeFlags(["-O", coverage])] : [])

func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency] = [],
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: [.byName(name: name)] + dependencies,
        exclude: exclude,
        swiftSettings: settings
    )
}

/// One build of the kernel source.
///
/// `-O` also in debug: fast tests, and no shared symbols. A square root is an instruction only
/// where nobody looks at `errno`.
func kernel(_ name: String, _ define: String, _ flags: [String]) -> Target {
    .target(
        name: name,
        swiftSettings: settings + [
            .define(define), .unsafeFlags(["-O", "-Xcc", "-fno-math-errno"] + flags),
        ]
    )
}

#if arch(x86_64)
    let kernels: [Target] = [
        kernel("KernelsBaseline", "BASELINE", []),
        kernel("KernelsAVX2", "AVX2", ["-Xcc", "-march=x86-64-v3"]),
        kernel("KernelsAVX512", "AVX512", ["-Xcc", "-march=x86-64-v4"]),
    ]
#else
    let kernels: [Target] = [kernel("KernelsBaseline", "BASELINE", [])]
#endif

let fuzzers: [Target] =
    isFuzzing
    ? [
        .executableTarget(
            name: "fuzz",
            dependencies: ["FuzzTargets", "Platform"],
            path: "Fuzz/Driver",
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]
        )
    ]
    : []

let package = Package(
    name: "predictive-maintenance",
    products: [
        .executable(name: "inference-server", targets: ["InferenceServer"]),
        .executable(name: "pdm", targets: ["Pipeline"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: kernels + fuzzers + [
        .target(name: "CLinux"),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]
        ),
        .systemLibrary(
            name: "CNghttp2",
            pkgConfig: "libnghttp2",
            providers: [.apt(["libnghttp2-dev"])]
        ),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        target("Platform", ["CLinux"]),
        target("HTTPServer", ["CLinux", "CNghttp2", "COpenSSL", "CZlib", "Platform"]),
        target("JSON"),
        target("OTLP", ["JSON"]),
        target("Metrics", ["Platform"]),
        target("Integrity", ["COpenSSL"]),
        target("Features", ["JSON", "Platform"] + kernels.map { .byName(name: $0.name) }),
        target("Drift", ["JSON"]),
        target(
            "ModelRuntime",
            ["Features", "JSON", "Integrity", "Platform"]
                + kernels.map { .byName(name: $0.name) }
        ),
        target(
            "Training",
            ["ModelRuntime", "Features", "Drift", "JSON", "Integrity", "Platform", "CZlib"]
        ),
        .executableTarget(
            name: "InferenceServer",
            dependencies: [
                "HTTPServer", "Metrics", "JSON", "OTLP", "Integrity", "Features", "Drift",
                "ModelRuntime", "Platform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "Pipeline",
            dependencies: [
                "Training", "ModelRuntime", "Features", "Drift", "JSON", "OTLP", "Integrity",
                "Platform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings,
            // URLSession is a layer over it, which a static build does not bring.
            linkerSettings: [.linkedLibrary("curl")]
        ),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "Training", "ModelRuntime", "Features", "Drift", "JSON", "Platform",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/Swift",
            swiftSettings: settings
        ),
        .target(
            name: "FuzzTargets",
            dependencies: ["HTTPServer", "JSON"],
            path: "Fuzz/Targets",
            swiftSettings: settings
        ),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
        tests("Platform"),
        tests("HTTPServer", ["CNghttp2", "COpenSSL", "Platform", "TestSupport"]),
        tests("JSON", ["TestSupport"]),
        tests("OTLP"),
        tests("Metrics"),
        tests("Integrity"),
        tests("Features", ["JSON", "Platform", "TestSupport"], exclude: ["Fixtures"]),
        tests("Drift", ["JSON", "TestSupport"], exclude: ["Fixtures"]),
        tests("ModelRuntime", ["Platform", "TestSupport"], exclude: ["Fixtures"]),
        tests("Training", ["ModelRuntime", "Drift", "Platform"], exclude: ["Fixtures"]),
        tests("Pipeline", ["JSON", "HTTPServer", "OTLP", "Platform", "Features"]),
        tests(
            "InferenceServer",
            [
                "CLinux", "HTTPServer", "JSON", "Features", "Drift", "Metrics", "ModelRuntime",
                "OTLP", "Platform", "Training",
            ]
        ),
        .testTarget(
            name: "FuzzTests",
            dependencies: ["FuzzTargets", "TestSupport"],
            swiftSettings: settings
        ),
        .testTarget(name: "RepositoryTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
