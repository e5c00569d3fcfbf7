// SPDX-License-Identifier: MIT

internal import HTTPServer

/// Paths under which a platform asks for routes that the service has anyway: Azure Machine Learning
/// scores, and probes, where its deployment says.
struct ContractRoutes: Sendable, Equatable {
    /// One more path of `/batch_predict`.
    var score: String?
    /// One more path of `/livez`.
    var liveness: String?
    /// One more path of `/readyz`.
    var readiness: String?

    /// The paths with the routes that they lead to.
    var all: [(flag: String, path: String, endpoint: Endpoint)] {
        let routes: [(String, String?, Endpoint)] = [
            ("score-path", score, .batchPredict), ("liveness-path", liveness, .live),
            ("readiness-path", readiness, .ready),
        ]
        return routes.compactMap { flag, path, endpoint in
            // Its own path leads to it without this.
            path.flatMap { $0 == endpoint.path ? nil : (flag, $0, endpoint) }
        }
    }

    /// The first flag whose path is another route's; nil where all can be had.
    var conflict: (flag: String, path: String)? {
        var taken = Set(Endpoint.allCases.map(\.path))
        for (flag, path, _) in all where !taken.insert(path).inserted { return (flag, path) }
        return nil
    }

    /// Whether a text is an absolute path of unreserved characters (RFC 3986 section 2.3).
    static func isPath(_ text: String) -> Bool {
        text.utf8.first == UInt8(ascii: "/") && text.utf8.count <= 128
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"),
                    UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                    true
                default: false
                }
            }
    }
}

extension Setting {
    static let contract: [Setting] = [
        .path(
            "score-path",
            \.contract.score,
            "One more path for batches, such as the scoring route of an Azure ML deployment."
        ),
        .path(
            "liveness-path",
            \.contract.liveness,
            "One more path for the question whether the process works."
        ),
        .path(
            "readiness-path",
            \.contract.readiness,
            "One more path for the question whether requests are wanted."
        ),
    ]

    private static func path(
        _ flag: String,
        _ path: Path<String?>,
        _ reason: String
    ) -> Setting {
        Setting(
            flag: flag,
            accepted: "a path such as /score, or none",
            reason: reason,
            otherVariables: [],
            render: { $0[keyPath: path] ?? "none" },
            assign: { settings, text in
                settings[keyPath: path] = text == "none" ? nil : text
                return text == "none" || ContractRoutes.isPath(text)
            }
        )
    }
}
