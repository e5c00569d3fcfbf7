// SPDX-License-Identifier: MIT

package import Drift

extension DriftReport {
    /// What the report says in one sentence.
    package var verdict: String {
        let share = NumberText.percent(share)
        let limit = NumberText.percent(rule.featureShare, decimals: 0)
        let drifting = features.count(where: \.drifts)
        let counted = features.count { !$0.isExcluded }
        let features = "\(drifting) of \(counted) features drift (\(share))"
        if isDrift { return "Drift: \(features), more than \(limit)." }
        let broken = Set(faults.flatMap { $0.column.sensors }).sorted()
        if !broken.isEmpty {
            let names = broken.joined(separator: ", ")
            if isMuted {
                return "Sensors look broken: \(names). The \(counted) features that others feed are"
                    + " too few to tell of drift."
            }
            return "No drift, but a sensor looks broken: \(names). \(features)."
        }
        if self.share > rule.featureShare {
            return "No drift: \(features), all of them as a common cause by chance would move them."
        }
        return "No drift: \(features), not more than \(limit)."
    }

    /// The features that differ most, first.
    package var ranked: [Feature] {
        func rank(_ index: Int) -> (Int, Double, Int) {
            let feature = features[index]
            return (feature.drifts ? 0 : 1, -(feature.drift.tests?.distance ?? 0), index)
        }
        return features.indices.sorted { rank($0) < rank($1) }.map { features[$0] }
    }

    /// What is wrong with a sensor, in words.
    func text(_ fault: SensorFault, of column: DriftColumn, machines: [String]) -> String {
        let machine = fault.machine.map { " of machine \(machines[$0])" } ?? ""
        return switch fault.kind {
        case .stuck: "\(column.name)\(machine): \(fault.rows) equal readings in a row"
        case .missing: "\(column.name): \(fault.rows) readings missing"
        case .outOfRange: "\(column.name): \(fault.rows) readings out of range"
        case .unseenCategory: "\(column.name): \(fault.rows) readings of an unknown category"
        }
    }

    /// The printed report: the verdict, the faults, the features that differ most.
    package func lines(machines: [String], countMax: Int) -> [String] {
        var lines = [verdict]
        lines += faults.map { "sensor: \(text($0.fault, of: $0.column, machines: machines))" }
        let plain = NumberText.percent(plainShare)
        lines.append("plain rule: p < \(rule.significance) in \(plain) of the features")
        let shown = ranked.prefix(countMax)
        let width = shown.map(\.drift.column.name.count).max() ?? 0
        for feature in shown {
            guard let tests = feature.drift.tests else { continue }
            let name = feature.drift.column.name
            let cells = [
                NumberText.fixed(tests.distance, decimals: 3),
                NumberText.fixed(tests.stabilityIndex, decimals: 3),
                NumberText.short(tests.pValue), NumberText.short(tests.effectivePValue),
                tests.ownPValue.map(NumberText.short) ?? "-",
            ]
            let padded = cells.map { String(repeating: " ", count: max(1, 10 - $0.count)) + $0 }
            let mark = feature.drifts ? "drifts" : feature.isExcluded ? "broken" : ""
            lines.append(
                name + String(repeating: " ", count: width - name.count) + padded.joined()
                    + "  \(mark)"
            )
        }
        let titles = ["distance", "PSI", "p", "p eff.", "p own"]
        let padded = titles.map { String(repeating: " ", count: 10 - $0.count) + $0 }
        let head = String(repeating: " ", count: width) + padded.joined()
        lines.insert(head, at: lines.count - shown.count { $0.drift.tests != nil })
        return lines
    }
}
