// SPDX-License-Identifier: MIT

/// Parts of the calendar of a local time in microseconds since the epoch.
package enum Calendar {
    /// Hour of day, day of week (Monday 0) or weekend of a local time.
    package static func value(_ part: Feature.CalendarPart, _ local: Int64) -> Double {
        let parts = parts(local)
        return switch part {
        case .hour: parts.hour
        case .dayOfWeek: parts.dayOfWeek
        case .isWeekend: parts.isWeekend
        }
    }

    static func parts(_ local: Int64) -> (hour: Double, dayOfWeek: Double, isWeekend: Double) {
        let (day, ofDay) = Timestamp.floorDivide(local, 24 * Timestamp.microsecondsPerHour)
        // 1970-01-01 was a Thursday.
        let dayOfWeek = Timestamp.floorDivide(day + 3, 7).rest
        let hour = Double(ofDay / Timestamp.microsecondsPerHour)
        return (hour, Double(dayOfWeek), dayOfWeek >= 5 ? 1 : 0)
    }
}
