// SPDX-License-Identifier: MIT

/// One measured quantity of a machine, as the schema describes it.
package struct Sensor: Equatable, Sendable {
    /// What kind of quantity a sensor reports, which decides what may be computed from it.
    package enum Kind: String, Sendable, CaseIterable {
        /// A quantity that goes up and down; it gets windows.
        case gauge
        /// A quantity that only grows, such as operating hours; it has no windows.
        case counter
        /// One of a fixed set of names; it becomes one column per name.
        case category
        /// A quantity that somebody or something sets, such as a load: it has no windows, and the
        /// regimes that gauges are standardised in are found from it.
        case setting
    }

    /// The field's name in requests and the stem of its features' names.
    package var name: String
    /// The column of a data file that holds it.
    package var column: String
    /// The unit as text, empty for none.
    package var unit: String
    /// What kind of quantity it is.
    package var kind: Kind
    /// The physical range: a value outside is a fault of the sensor and counts as missing.
    package var range: ClosedRange<Double>?
    /// Whether a request may leave it out.
    package var isOptional: Bool
    /// The group that an explanation names, by default the sensor's name.
    package var group: String
    /// Where the health indicator starts to rise from 0.
    package var warn: Double?
    /// Where the health indicator reaches 1; below `warn` for quantities that fall.
    package var alarm: Double?
    /// Equal readings in a row that count as stuck; nil where it may stand still.
    package var stuckAfter: Int?
    /// The names of a category, in the order of their columns.
    package var categories: [String]

    /// Describes a sensor; `column` and `group` default to the name.
    package init(
        name: String,
        column: String? = nil,
        unit: String = "",
        kind: Kind = .gauge,
        range: ClosedRange<Double>? = nil,
        isOptional: Bool = false,
        group: String? = nil,
        warn: Double? = nil,
        alarm: Double? = nil,
        stuckAfter: Int? = nil,
        categories: [String] = []
    ) {
        self.name = name
        self.column = column ?? name
        self.unit = unit
        self.kind = kind
        self.range = range
        self.isOptional = isOptional
        self.group = group ?? name
        self.warn = warn
        self.alarm = alarm
        self.stuckAfter = stuckAfter
        self.categories = categories
    }

    /// Checks its numbers.
    func validate() throws(SpecError) {
        if let range, !range.lowerBound.isFinite || !range.upperBound.isFinite {
            throw .invalid(what: name, why: "its range is not finite")
        }
        if let stuckAfter, stuckAfter < 2 {
            throw .invalid(what: name, why: "fewer than two readings cannot be stuck")
        }
        guard let warn, let alarm else { return }
        guard warn.isFinite, alarm.isFinite, warn != alarm else {
            throw .invalid(what: name, why: "warn and alarm are equal or not finite")
        }
    }
}
