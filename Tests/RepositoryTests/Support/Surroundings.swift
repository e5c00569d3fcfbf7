// SPDX-License-Identifier: MIT

/// What some checks read beside the file at hand.
struct Surroundings: Sendable {
    let moduleTable: ModuleTable
    /// Text of every document, by path.
    let documents: [String: String]
    /// Every file's path.
    let paths: Set<String>
    let monitoring: Monitoring

    func document(_ path: String) -> String { documents[path] ?? "" }

    /// The repository's own.
    static let repository = {
        let documents = Repository.files.filter { $0.isMarkdown }.map { ($0.path, $0.text) }
        let texts = Dictionary(uniqueKeysWithValues: documents)
        return Surroundings(
            moduleTable: ModuleTable(markdown: texts["ARCHITECTURE.md"] ?? ""),
            documents: texts,
            paths: Set(Repository.paths),
            monitoring: Monitoring(files: Repository.files)
        )
    }()

    /// A tiny made-up repository, for the canaries.
    static let canary = Surroundings(
        moduleTable: ModuleTable(markdown: ModuleTable.sample),
        documents: [
            "docs/configuration.md": "`--port`, `PDM_PORT`",
            "docs/metrics.md": "`seen_total` by `model_version`",
            "docs/there.md": "# One heading\n",
        ],
        paths: ["docs/there.md", "docs/configuration.md", "LICENSE"],
        monitoring: Monitoring(files: [
            SourceFile(
                path: "dashboards/rules/alerts.yml",
                text: """
                    groups:
                      - name: time
                        rules:
                          - alert: Late
                            expr: |-
                              service:lateness:ratio > 0.1
                            for: 1m
                            annotations:
                              description: "It came late."
                          - record: service:lateness:ratio
                            expr: rate(late_total{by="x_y"}[1h]) / rate(seen_count[1h])

                    """
            ),
            SourceFile(
                path: "grafana/dashboards/health.json",
                text: """
                    {"title": "Health", "panels": [
                      {"title": "Lateness", "targets": [{"expr": "sum(late_total)"}]},
                      {"title": "Noise", "targets": [{"expr": "sum(noise_total)"}]}]}
                    """
            ),
            SourceFile(
                path: "Sources/InferenceServer/A.swift",
                text: "log.event(.info, \"came_late\")"
            ),
        ])
    )
}
