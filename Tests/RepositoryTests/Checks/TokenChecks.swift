// SPDX-License-Identifier: MIT

/// Words that have no place in our code.
extension Check {
    /// Modules that go without Foundation: the server's, and what it is made of.
    static let modulesWithoutFoundation: Set<String> = [
        "Platform", "HTTPServer", "JSON", "Metrics", "Features", "Drift", "ModelRuntime",
        "Integrity", "InferenceServer",
    ]

    static let bannedTokens = Check(
        "no trapping shortcuts",
        refused: [
            ("Sources/JSON/A.swift", "let a = tr" + "y! b()"),
            ("Tests/JSONTests/A.swift", "fatal" + "Error(\"x\")"),
        ],
        accepted: [
            ("Sources/JSON/A.swift", "// tr" + "y! is not for us\nlet a = try b()"),
            ("Sources/JSON/A.swift", "let a = \"fatal" + "Error(\""),
        ]
    ) { file in
        guard file.isSwift else { return [] }
        return ["try!", "fatalError("].flatMap { token in
            file.findings("`\(token)` is banned", in: file.code) { $0.contains(token) }
        }
    }

    static let noFoundation = Check(
        "no Foundation in the server's modules",
        refused: [
            ("Sources/JSON/A.swift", "internal import Foundation"),
            ("Sources/InferenceServer/A.swift", "import FoundationEssentials"),
        ],
        accepted: [
            ("Sources/Pipeline/A.swift", "import Foundation"),
            ("Sources/JSON/A.swift", "import Features"),
        ]
    ) { file in
        guard let module = file.module, modulesWithoutFoundation.contains(module) else { return [] }
        return file.findings("Foundation is not for \(module)", in: file.code) {
            $0.contains("import Foundation")
        }
    }

    static let noPrint = Check(
        "no print outside the command line",
        refused: [
            ("Sources/JSON/A.swift", "    print(1)"),
            ("Sources/InferenceServer/A.swift", "print(a)"),
        ],
        accepted: [
            ("Sources/Pipeline/A.swift", "print(1)"),
            ("Sources/InferenceServer/VerifyCommand.swift", "print(1)"),
            ("Sources/JSON/A.swift", "fingerprint(1); // print(1)"),
        ]
    ) { file in
        guard file.isSource, file.isSwift, file.module != "Pipeline",
            !file.path.hasSuffix("Command.swift")
        else { return [] }
        return file.findings("print is for commands", in: file.code) {
            $0.contains("print(") && $0.contains(/(^|[^\w.])(debugP|p)rint\(/)
        }
    }

    private static let lockPath = "Sources/Platform/Lock.swift"

    static let noMutex = Check(
        "a lock that the thread sanitizer sees",
        refused: [
            ("Sources/JSON/A.swift", "let a = Mutex(1)"),
            ("Tests/JSONTests/A.swift", "let a: Mutex<Int>"),
        ],
        accepted: [
            ("Sources/Platform/Lock.swift", "let a: Mutex<Int>"),
            ("Sources/JSON/A.swift", "let a = Lock(1)  // no Mutex(1)"),
        ]
    ) { file in
        guard file.isSwift, file.path != lockPath else { return [] }
        return file.findings("`Lock` takes the place of `Mutex`", in: file.code) {
            $0.contains("Mutex") && $0.contains(/\bMutex[<(]/)
        }
    }

    static let noPublic = Check(
        "package, never public",
        refused: [("Sources/JSON/A.swift", "public struct A { }")],
        accepted: [
            ("Sources/JSON/A.swift", "package struct A { }  // public"),
            ("Sources/KernelSource/A.swift", "public func a() { }"),
            ("Sources/Platform/Lock.swift", "public struct Lock { }"),
        ]
    ) { file in
        guard file.isSource, file.isSwift, !file.isKernel, file.path != lockPath else { return [] }
        return file.findings("across modules we say `package`", in: file.code) {
            $0.contains("public") && $0.contains(/(^|\s)public\s/)
        }
    }

    static let licenceLine = Check(
        "the licence line on top",
        refused: [("Sources/JSON/A.swift", "import Features\n")],
        accepted: [
            ("Sources/JSON/A.swift", "// SPDX-License-Identifier: MIT\n"),
            ("Package.swift", "// swift-tools-version: 6.3\n// SPDX-License-Identifier: MIT\n"),
        ]
    ) { file in
        guard file.isSwift, !file.lines.prefix(2).contains("// SPDX-License-Identifier: MIT") else {
            return []
        }
        return [Finding(path: file.path, line: 1, message: "lacks the SPDX line")]
    }
}
