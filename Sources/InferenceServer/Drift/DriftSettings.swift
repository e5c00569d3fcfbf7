// SPDX-License-Identifier: MIT

internal import Drift

/// How live readings are compared with the reference of the bundle.
struct DriftSettings: Sendable {
    var isOn = Toggle.on
    /// A window lasts so long, and longer until it has ``readingsMin`` readings.
    var window = Duration.seconds(3600)
    var readingsMin = 1000
    /// Drift is raised by so many of the last ``windowCount`` windows, and ended by none of them.
    var windowsNeeded = 2
    var windowCount = 3
    /// The share of the features that has to be exceeded, in percent.
    var featurePercent = 30
    /// The least distance of a feature that counts, in percent.
    var distancePercent = 10
    /// The share of missing values that is a fault, in percent.
    var missingPercent = 5
    /// The share of values out of range, or stuck, that is a fault, in percent.
    var faultPercent = 1

    /// The rule by which a window drifts.
    var rule: DriftRule {
        var rule = DriftRule()
        rule.featureShare = Double(featurePercent) / 100
        rule.distanceMin = Double(distancePercent) / 100
        rule.missingShare = Double(missingPercent) / 100
        rule.outsideShare = Double(faultPercent) / 100
        return rule
    }
}

extension Setting {
    static let drift: [Setting] = [
        .choice(
            "drift",
            \.service.drift.isOn,
            "Whether readings are compared with those that the model learned from."
        ),
        .duration(
            "drift-window",
            \.service.drift.window,
            in: .seconds(1) ... .seconds(31_536_000),
            "How long readings are gathered before they are compared: a shift changes slowly."
        ),
        .count(
            "drift-readings-min",
            \.service.drift.readingsMin,
            in: 100...1_000_000_000,
            "readings",
            "Readings that a window waits for beyond its time: fewer tell little of a distribution."
        ),
        .count(
            "drift-windows-needed",
            \.service.drift.windowsNeeded,
            in: 1...DriftState.lengthMax,
            "windows",
            "Windows among the last ones that have to drift: one odd hour raises nothing."
        ),
        .count(
            "drift-windows",
            \.service.drift.windowCount,
            in: 1...DriftState.lengthMax,
            "windows",
            "Windows that are looked back on; drift ends when none of them drifts."
        ),
        .count(
            "drift-feature-percent",
            \.service.drift.featurePercent,
            in: 0...99,
            "features in a hundred",
            "The share of the features that has to be exceeded."
        ),
        .count(
            "drift-distance-percent",
            \.service.drift.distancePercent,
            in: 0...100,
            "readings in a hundred",
            "The least Kolmogorov-Smirnov distance that counts: below it, no plant notices."
        ),
        .count(
            "missing-percent",
            \.service.drift.missingPercent,
            in: 0...100,
            "values in a hundred",
            "Missing values of a sensor above which it counts as broken."
        ),
        .count(
            "fault-percent",
            \.service.drift.faultPercent,
            in: 0...100,
            "values in a hundred",
            "Stuck values, or values out of range, above which a sensor counts as broken."
        ),
    ]
}
