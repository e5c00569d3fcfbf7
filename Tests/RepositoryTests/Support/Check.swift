// SPDX-License-Identifier: MIT

/// Something that breaks a rule, and where.
struct Finding: CustomStringConvertible, Equatable {
    let path: String
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// A rule of the house: a pure function over a file, and texts that prove it can fail and pass.
struct Check: Sendable, CustomStringConvertible {
    let name: String
    let findings: @Sendable (SourceFile) -> [Finding]
    /// Files that must give a finding, each on its own: the canaries.
    let refused: [SourceFile]
    /// Files that must give none.
    let accepted: [SourceFile]

    var description: String { name }

    init(
        _ name: String,
        refused: [(String, String)],
        accepted: [(String, String)],
        findings: @escaping @Sendable (SourceFile) -> [Finding]
    ) {
        self.name = name
        self.findings = findings
        self.refused = refused.map { SourceFile(path: $0.0, text: $0.1) }
        self.accepted = accepted.map { SourceFile(path: $0.0, text: $0.1) }
    }

    /// Every rule, reading what it needs beside the file from `surroundings`.
    static func all(in surroundings: Surroundings) -> [Check] {
        [
            lineLength, fileLength, functionLength, licenceLine,
            bannedTokens, noFoundation, noMutex, noPrint, noPublic,
            unsafePlaces, unsafeReasons, documentedDeclarations,
            imports(surroundings.moduleTable),
            environmentVariables(surroundings), metricNames(surroundings),
            links(surroundings), runbooks(surroundings), runCommands, machinePaths, leftovers,
        ]
    }
}
