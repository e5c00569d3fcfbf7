// swift-tools-version: 6.3
// SPDX-License-Identifier: MIT

import PackageDescription

let settings: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ImmutableWeakCaptures"),
]

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

let package = Package(
    name: "predictive-maintenance",
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]
        ),
        target("Platform", ["CLinux"]),
        target("JSON"),
        target("Metrics"),
        target("Integrity", ["COpenSSL"]),
        target("Features", ["JSON", "Platform"]),
        tests("Platform"),
        tests("JSON"),
        tests("Metrics"),
        tests("Integrity"),
        tests("Features", exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)
