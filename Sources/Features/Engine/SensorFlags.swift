// SPDX-License-Identifier: MIT

/// What was noticed about one sensor's value in a reading.
package struct SensorFlags: OptionSet, Sendable, Equatable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The reading had no value.
    package static let missing = SensorFlags(rawValue: 1)
    /// The value lay outside the physical range and counts as missing.
    package static let outOfRange = SensorFlags(rawValue: 2)
    /// There was no earlier value either: the training mean stands in.
    package static let imputed = SensorFlags(rawValue: 4)
    /// The sensor has shown the same value too often in a row.
    package static let stuck = SensorFlags(rawValue: 8)
}
