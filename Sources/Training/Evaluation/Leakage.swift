// SPDX-License-Identifier: MIT

/// What makes a score too good to be true, as far as rows show it.
package enum Leakage {
    /// Fewer rows or machines prove nothing.
    private static let rowsMin = 20
    private static let machinesMin = 5

    /// One sentence for each thing found: machines on both sides and whether their times overlap,
    /// features that are the label, the row's number or the machine's.
    package static func warnings(train: FeatureMatrix, test: FeatureMatrix) -> [String] {
        sharedMachines(train, test) + warnings(of: train)
    }

    /// The same of features alone, where the training rows are not at hand.
    package static func warnings(of rows: FeatureMatrix) -> [String] {
        rows.names.indices.compactMap { column in
            featureWarning(rows, column).map { "feature \(rows.names[column]) \($0)" }
        }
    }

    private static func sharedMachines(
        _ train: FeatureMatrix,
        _ test: FeatureMatrix
    ) -> [String] {
        guard let before = spans(train), let after = spans(test) else { return [] }
        let shared = before.keys.filter { after[$0] != nil }.sorted()
        guard !shared.isEmpty else { return [] }
        let named = shared.prefix(3).joined(separator: ", ") + (shared.count > 3 ? ", ..." : "")
        // Some data sets number other machines from 1 again, which names cannot tell.
        var warnings = [
            "\(shared.count) machines have training and test rows, unless names were given twice:"
                + " \(named)"
        ]
        let overlapping = shared.count { name in
            guard let past = before[name], let next = after[name] else { return false }
            return past.overlaps(next)
        }
        if train.timestamps != nil, overlapping > 0 {
            warnings.append("the training and test rows of \(overlapping) machines overlap in time")
        }
        return warnings
    }

    /// The first and the last moment of each machine.
    private static func spans(_ matrix: FeatureMatrix) -> [String: ClosedRange<Int64>]? {
        guard let entities = matrix.entities else { return nil }
        var spans: [String: ClosedRange<Int64>] = [:]
        for (row, code) in entities.codes.enumerated() {
            let name = entities.categories[Int(code)]
            let time = matrix.timestamps?[row] ?? 0
            let span = spans[name] ?? time...time
            spans[name] = min(span.lowerBound, time)...max(span.upperBound, time)
        }
        return spans
    }

    private static func featureWarning(_ matrix: FeatureMatrix, _ column: Int) -> String? {
        guard matrix.rowCount >= rowsMin else { return nil }
        let width = matrix.names.count
        let values = (0..<matrix.rowCount).map { matrix.values[$0 * width + column] }
        if isOneValuePerGroup(values, matrix.labels.map { Int32($0) }, groupsMin: 2) {
            return "equals the label"
        }
        if zip(values, values.dropFirst()).allSatisfy(<) { return "rises with the row's number" }
        if let codes = matrix.entities?.codes,
            isOneValuePerGroup(values, codes, groupsMin: machinesMin)
        {
            return "names the machine"
        }
        return nil
    }

    /// Whether each group has one value, and each another one.
    private static func isOneValuePerGroup(
        _ values: [Float],
        _ groups: [Int32],
        groupsMin: Int
    ) -> Bool {
        var known: [Int32: Float] = [:]
        for (value, group) in zip(values, groups) {
            guard known[group] ?? value == value else { return false }
            known[group] = value
        }
        return known.count >= groupsMin && Set(known.values).count == known.count
    }
}
