// SPDX-License-Identifier: MIT

/// The declarative list of what is computed from readings, before it is fitted to data.
///
/// A spec names groups of features by rule (`every gauge`); ``resolved(for:)`` turns them into the
/// ordered list of single columns that a model has. Its JSON form is in docs/feature-spec.md.
package struct FeatureSpec: Equatable, Sendable {
    /// Which sensors an element is about.
    package enum Selection: Equatable, Sendable {
        /// All sensors of the schema.
        case all
        /// All sensors of kind gauge.
        case gauges
        /// The sensors named.
        case named([String])
    }

    /// A statistic of a window.
    package enum Statistic: String, Sendable, CaseIterable {
        /// Arithmetic mean.
        case mean
        /// Standard deviation with n - 1 (pandas' default), 0 for fewer than two readings.
        case standardDeviation = "std"
        /// Largest value.
        case maximum = "max"
    }

    /// One group of features.
    package enum Element: Equatable, Sendable {
        /// The cleaned value itself; a category becomes one column per name.
        case raw(Selection)
        /// Hour of day, day of week (Monday 0) and weekend in the schema's zone.
        case calendar
        /// Statistics of windows of so many hours.
        case window([Statistic], hours: [Int], Selection)
        /// First times second.
        case product(String, String)
        /// First divided by second; 0 where the second is 0.
        case ratio(String, String)
        /// Change per hour since the last reading in order; 0 without one.
        case rate(Selection)
        /// Cleaned value minus the mean of the window of so many hours.
        case deviation(hours: Int, Selection)
        /// `clamp((x - warn) / (alarm - warn), 0, 1)` for each sensor with both thresholds.
        case health
        /// The largest of the health indicators.
        case healthComposite
    }

    /// The spec's name.
    package var name: String
    /// The length of a pane in seconds; windows are whole numbers of panes.
    package var paneSeconds: Int
    /// The groups of features in the order of their columns.
    package var elements: [Element]
    /// Scaled values are clipped to plus or minus this; nil for no limit.
    package var scaledClip: Double?

    /// Describes a spec.
    package init(
        name: String,
        paneSeconds: Int = 3600,
        elements: [Element],
        scaledClip: Double? = 10
    ) {
        self.name = name
        self.paneSeconds = paneSeconds
        self.elements = elements
        self.scaledClip = scaledClip
    }

    /// The standard features: 6, 12 and 24 h windows, interactions, rates, deviations and health.
    package static let standard = FeatureSpec(
        name: "default",
        elements: [
            .raw(.all),
            .calendar,
            .window([.mean, .standardDeviation, .maximum], hours: [6, 12, 24], .gauges),
            .product("temperature", "vibration"),
            .ratio("pressure", "rotation_speed"),
            .ratio("current", "rotation_speed"),
            .rate(.gauges),
            .deviation(hours: 24, .gauges),
            .health,
            .healthComposite,
        ]
    )
}
