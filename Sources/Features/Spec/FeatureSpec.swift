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

    /// A statistic of all readings since a machine's start or its last maintenance.
    package enum SinceStartStatistic: String, Sendable, CaseIterable {
        /// Arithmetic mean.
        case mean
        /// Slope of the least-squares line over the panes' times, per hour; 0 within one pane.
        case slope
    }

    /// How operating regimes are found on training rows, in which gauges are then standardised.
    package struct RegimeRule: Equatable, Sendable {
        /// The most regimes.
        package var countMax: Int
        /// The share of the settings' variance that so many regimes must explain, or there is one.
        package var explained: Double
        /// The gauges that are standardised.
        package var gauges: Selection

        /// Describes a rule.
        package init(countMax: Int = 8, explained: Double = 0.999, gauges: Selection = .gauges) {
            self.countMax = countMax
            self.explained = explained
            self.gauges = gauges
        }
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
        /// First minus second.
        case difference(String, String)
        /// A value times itself, so many factors in all.
        case power(String, exponent: Int)
        /// Statistics since the machine's start or last maintenance.
        case sinceStart([SinceStartStatistic], Selection)
        /// The share of the panes of windows of so many hours that hold a reading.
        case windowFill(hours: [Int])
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
    /// How operating regimes are found; nil where gauges are taken as they are.
    package var regimes: RegimeRule?
    /// The share of training rows whose history is cut short, so that a machine's first readings
    /// are learnt too.
    package var coldStart: Double

    /// Describes a spec.
    package init(
        name: String,
        paneSeconds: Int = 3600,
        elements: [Element],
        scaledClip: Double? = 10,
        regimes: RegimeRule? = nil,
        coldStart: Double = 0
    ) {
        self.name = name
        self.paneSeconds = paneSeconds
        self.elements = elements
        self.scaledClip = scaledClip
        self.regimes = regimes
        self.coldStart = coldStart
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
            .windowFill(hours: [24]),
        ],
        coldStart: 0.2
    )
}
