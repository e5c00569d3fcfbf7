// SPDX-License-Identifier: MIT

import ArgumentParser
import ModelRuntime

/// In what a new model is meant to differ from the champion.
struct AllowOptions: ParsableArguments {
    @Option(
        help: """
            Differences that are meant, separated by commas: sensors, unit, range, horizon, layout \
            or shift (of the risk levels); or none.
            """
    )
    var allow: [AllowedDifferences] = []

    /// Each once, in the order of their kinds.
    var kinds: [DifferenceKind] {
        let named = Set(allow.flatMap(\.kinds))
        return DifferenceKind.allCases.filter(named.contains)
    }
}

/// Kinds of differences as they are given: names separated by commas, or `none`.
struct AllowedDifferences: ExpressibleByArgument {
    private static let none = "none"

    let kinds: [DifferenceKind]

    init?(argument: String) {
        var kinds: [DifferenceKind] = []
        if argument != Self.none {
            for name in argument.split(separator: ",", omittingEmptySubsequences: false) {
                guard let kind = DifferenceKind(rawValue: String(name)), kind.isBreaking else {
                    return nil
                }
                kinds.append(kind)
            }
        }
        self.kinds = kinds
    }
}
