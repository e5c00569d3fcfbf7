// SPDX-License-Identifier: MIT

/// Where memory-unsafe code may stand, and that it says why it is sound.
extension Check {
    /// Folders and files that may hold unsafe code; everything else is safe by construction.
    static let unsafePaths: [String] = [
        "Sources/Platform/", "Sources/Integrity/", "Sources/Kernel",
        "/Sockets/", "/TLS/", "/HTTP2/", "/Compression/",
        "/Poller.swift", "/FileAccess.swift", "/StateFile.swift", "/ProcessMetrics.swift",
        "Sources/ModelRuntime/Kernels/", "Sources/Features/Kernels/",
    ]
    /// How far above an unsafe expression its reason may stand.
    static let reasonLinesMax = 8

    static let unsafePlaces = Check(
        "unsafe code only in its places",
        refused: [
            ("Sources/JSON/A.swift", "// SAFETY: no.\nlet a = unsafe b()"),
            ("Sources/JSON/A.swift", "nonisolated(unsafe) var a = 1"),
        ],
        accepted: [
            ("Sources/Platform/A.swift", "let a = unsafe b()"),
            ("Sources/HTTPServer/Sockets/A.swift", "let a = unsafe b()"),
            ("Sources/JSON/A.swift", "// unsafe\nlet unsafety = \"unsafe\""),
            ("Sources/JSON/A.swift", "// SAFETY: one thread.\nclass A: @unchecked Sendable { }"),
        ]
    ) { file in
        guard file.isSource, file.isSwift,
            !unsafePaths.contains(where: { file.path.contains($0) })
        else { return [] }
        return file.findings("unsafe code has no place here", in: file.code, where: hasUnsafe)
    }

    static let unsafeReasons = Check(
        "unsafe code says why it is sound",
        refused: [
            ("Sources/Platform/A.swift", "let a = unsafe b()"),
            ("Sources/Platform/A.swift", "let a = \"\\(unsafe b())\""),
            ("Sources/Platform/A.swift", "struct A: @unchecked Sendable { }"),
            (
                "Sources/Platform/A.swift",
                "// SAFETY: far." + String(repeating: "\n", count: reasonLinesMax + 1)
                    + "unsafe b()"
            ),
            ("Sources/KernelSource/Kernel.swift", "func a() { unsafe b() }"),
        ],
        accepted: [
            ("Sources/Platform/A.swift", "// SAFETY: it lives.\nlet a = unsafe b()"),
            (
                "Sources/Platform/A.swift",
                "// SAFETY: near." + String(repeating: "\n", count: reasonLinesMax) + "unsafe b()"
            ),
            (
                "Sources/KernelSource/Kernel.swift",
                "// SAFETY: sizes.\n\n\n\n\n\n\n\n\n\nunsafe b()"
            ),
        ]
    ) { file in
        guard file.isSource, file.isSwift else { return [] }
        // Nearly every line of a kernel is unsafe, for the one reason that its file states.
        if file.isKernel, file.text.contains("// SAFETY:") { return [] }
        return file.code.indices.filter { index in
            let line = file.code[index]
            guard hasUnsafe(line) || line.contains("@unchecked ") else { return false }
            let above = file.lines[max(0, index - reasonLinesMax)...index]
            return !above.contains { $0.contains("// SAFETY:") }
        }.map { Finding(path: file.path, line: $0 + 1, message: "lacks a `// SAFETY:` line") }
    }

    private static func hasUnsafe(_ line: Substring) -> Bool {
        line.contains("unsafe") && line.contains(/\bunsafe\b/)
    }
}
