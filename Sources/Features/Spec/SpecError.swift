// SPDX-License-Identifier: MIT

package import JSON

/// Limits of schemas and specs, so that a file from outside cannot ask for the impossible.
package enum SpecLimits {
    /// Sensors in a schema: one record per machine has room for all of them.
    package static let sensorsMax = 256
    /// Features in a row.
    package static let featuresMax = 4096
    /// Panes in the longest window; keeps exact sums of 2^24 readings a pane within 64 bits.
    package static let panesMax = 256
    /// Seconds of a pane: a week, so that the longest window is just under five years.
    package static let paneSecondsMax = 604_800
    /// Hours that a label may look ahead: ten years of 365 days.
    package static let horizonHoursMax = 87_600.0
    /// Minutes that a zone may lie off UTC: a day, as much as RFC 3339 can say.
    package static let offsetMinutesMax = 1440
    /// Bytes of an equipment id, which is kept in the machine's record.
    package static let equipmentIDBytesMax = 64
    /// Operating regimes of a layout.
    package static let regimesMax = 64
    /// Factors of a power.
    package static let exponents = 2...8
    /// Readings of one pane and sensor that are counted; later ones do not change the pane.
    package static let paneCountMax: UInt32 = 1 << 24 - 1
}

extension SpecLimits {
    /// What is wrong with a horizon in hours; nil where nothing is, or there is none.
    package static func fault(ofHorizonHours hours: Double?) -> String? {
        guard let hours else { return nil }
        if hours > 0, hours <= horizonHoursMax { return nil }
        return "it must be above 0 and at most \(Int(horizonHoursMax)) h"
    }
}

/// What is wrong with a schema or a feature spec.
package enum SpecError: Error, Equatable, CustomStringConvertible {
    /// A number of things that must be between 1 and a limit.
    case count(what: String, count: Int, limit: Int)
    /// A name that stands twice.
    case duplicate(String)
    /// A part that does not fit.
    case invalid(what: String, why: String)
    /// A sensor that the schema does not know.
    case unknownSensor(String)
    /// The JSON document has not the form it should have.
    case shape(JSONShapeError)

    package var description: String {
        switch self {
        case .count(let what, let count, let limit):
            "\(count) \(what): between 1 and \(limit) are possible"
        case .duplicate(let name): "\(name) stands twice"
        case .invalid(let what, let why): "\(what): \(why)"
        case .unknownSensor(let name): "the schema has no sensor \(name)"
        case .shape(let error): error.description
        }
    }
}
