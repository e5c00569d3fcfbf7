// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
package import ModelRuntime

/// Something in which one model differs from another.
package struct ModelDifference: Equatable, Sendable {
    /// What it is that differs.
    package typealias Kind = DifferenceKind

    /// What it is that differs.
    package let kind: Kind
    /// How, in words: the old value and the new one.
    package let text: String

    /// Every difference of two models, in the order of ``Kind``.
    package static func between(_ old: Manifest, _ new: Manifest) -> [ModelDifference] {
        sensors(old, new)
            + [
                difference(.horizon, hours(old.horizonHours), hours(new.horizonHours)),
                difference(.layout, old.transform.layout.words, new.transform.layout.words)
                    ?? (old.transform.layout == new.transform.layout
                        ? nil : ModelDifference(kind: .layout, text: "other ranges or statistics")),
            ].compactMap(\.self) + features(old, new)
            + [
                difference(.network, old.networkWords, new.networkWords),
                difference(.decision, "threshold \(old.threshold)", "threshold \(new.threshold)"),
                difference(.decision, old.riskWords, new.riskWords),
                difference(.decision, "\(old.calibration)", "\(new.calibration)"),
            ].compactMap(\.self) + evaluation(old.evaluation, new.evaluation)
    }

    private static func difference(
        _ kind: Kind,
        of name: String? = nil,
        _ old: String,
        _ new: String
    ) -> ModelDifference? {
        guard old != new else { return nil }
        let prefix = name.map { "\($0): " } ?? ""
        return ModelDifference(kind: kind, text: "\(prefix)\(old) -> \(new)")
    }

    private static func sensors(_ old: Manifest, _ new: Manifest) -> [ModelDifference] {
        let (before, after) = (old.transform.schema.sensors, new.transform.schema.sensors)
        var found: [ModelDifference] = []
        for sensor in before where !after.contains(where: { $0.name == sensor.name }) {
            found.append(ModelDifference(kind: .sensors, text: "\(sensor.name) is gone"))
        }
        for sensor in after {
            guard let earlier = before.first(where: { $0.name == sensor.name }) else {
                let needed = sensor.isOptional ? "optional" : "required"
                found.append(
                    ModelDifference(kind: .sensors, text: "\(sensor.name) is new, \(needed)")
                )
                continue
            }
            found += [
                difference(.unit, of: sensor.name, "'\(earlier.unit)'", "'\(sensor.unit)'"),
                difference(.range, of: sensor.name, words(earlier.range), words(sensor.range)),
            ].compactMap(\.self)
        }
        return found
    }

    private static func features(_ old: Manifest, _ new: Manifest) -> [ModelDifference] {
        let before = old.transform.featureNames
        let after = new.transform.featureNames
        let (gone, added) = (Set(before).subtracting(after), Set(after).subtracting(before))
        guard !gone.isEmpty || !added.isEmpty else { return [] }
        var parts = ["\(before.count) -> \(after.count)"]
        if !gone.isEmpty { parts.append("without \(gone.sorted().joined(separator: ", "))") }
        if !added.isEmpty { parts.append("with \(added.sorted().joined(separator: ", "))") }
        return [ModelDifference(kind: .features, text: parts.joined(separator: ", "))]
    }

    private static func evaluation(_ old: JSONObject, _ new: JSONObject) -> [ModelDifference] {
        var found: [ModelDifference] = []
        for (name, value) in new.members {
            guard case .number(let after) = value, case .number(let before)? = old[name],
                before != after
            else { continue }
            found.append(ModelDifference(kind: .evaluation, text: "\(name) \(before) -> \(after)"))
        }
        return found
    }

    private static func hours(_ value: Double?) -> String { value.map { "\($0) h" } ?? "none" }

    private static func words(_ range: ClosedRange<Double>?) -> String {
        range.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "none"
    }
}

extension StateLayout {
    fileprivate var words: String {
        "\(paneCount) panes of \(paneSeconds) s, \(gauges.count) gauges"
    }
}

extension Manifest {
    fileprivate var networkWords: String {
        let widths = [layers.first?.inputs ?? 0] + layers.map(\.outputs)
        return "\(memberCount) x \(widths.map(String.init).joined(separator: "-"))"
    }

    fileprivate var riskWords: String { "risk from \(riskLevels.medium) and \(riskLevels.high)" }
}
