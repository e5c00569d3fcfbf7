// SPDX-License-Identifier: MIT

/// What an operator can set or scrape is in the docs.
extension Check {
    static func environmentVariables(_ surroundings: Surroundings) -> Check {
        let page = "docs/configuration.md"
        return Check(
            "settings are documented",
            refused: [
                ("Sources/InferenceServer/A.swift", "read(\"PDM_SECRET\")"),
                ("Sources/InferenceServer/A.swift", "flag(\"--secret\")"),
            ],
            accepted: [
                ("Sources/InferenceServer/A.swift", "read(\"PDM_PORT\", \"PDM_\")"),
                ("Sources/InferenceServer/A.swift", "flag(\"--port\")"),
                ("Tests/InferenceServerTests/A.swift", "read(\"PDM_SECRET\")"),
            ]
        ) { file in
            guard file.module == "InferenceServer" else { return [] }
            return undocumented(
                in: file,
                names: /"(PDM_[A-Z0-9_]+|--[a-z][a-z0-9-]+)"/,
                page: page,
                text: surroundings.document(page)
            )
        }
    }

    static func metricNames(_ surroundings: Surroundings) -> Check {
        let page = "docs/metrics.md"
        return Check(
            "metrics and labels are documented",
            refused: [
                ("Sources/InferenceServer/ServiceMetrics.swift", "let a = \"hidden_total\""),
                ("Sources/InferenceServer/ServiceMetrics.swift", "let a = \"seen\""),
            ],
            accepted: [
                ("Sources/InferenceServer/ServiceMetrics.swift", "let a = \"seen_total\""),
                ("Sources/InferenceServer/ServiceMetrics.swift", "let a = \"A help text.\""),
                ("Sources/InferenceServer/Other.swift", "let a = \"hidden_total\""),
            ]
        ) { file in
            guard file.module == "InferenceServer", file.name.hasSuffix("Metrics.swift") else {
                return []
            }
            return undocumented(
                in: file,
                names: /"([a-z][a-z0-9_]*)"/,
                page: page,
                text: surroundings.document(page)
            )
        }
    }

    private static func undocumented(
        in file: SourceFile,
        names: Regex<(Substring, Substring)>,
        page: String,
        text: String
    ) -> [Finding] {
        file.lines.enumerated().flatMap { index, line in
            line.matches(of: names).map(\.1).filter { !text.contains("`\($0)`") }.map { name in
                let message = "`\(name)` is not in \(page)"
                return Finding(path: file.path, line: index + 1, message: message)
            }
        }
    }
}
