// SPDX-License-Identifier: MIT

/// The `Date` field in IMF-fixdate (RFC 9110 §5.6.7).
enum DateField {
    /// Replaces the output by `date: Sun, 06 Nov 1994 08:49:37 GMT CRLF` for seconds of the epoch.
    ///
    /// A loop does so each second, in memory that it keeps.
    static func render(secondsSinceEpoch seconds: Int64, into output: inout [UInt8]) {
        let day = Int((seconds - (seconds % 86_400 + 86_400) % 86_400) / 86_400)
        let second = Int(seconds - Int64(day) * 86_400)
        let civil = civilDate(day: day)
        output.removeAll(keepingCapacity: true)
        output.append(text: "date: ")
        // 1 January 1970 was a Thursday.
        output.append(text: weekdays[((day + 4) % 7 + 7) % 7])
        output.append(text: ", ")
        appendTwoDigits(civil.day, &output)
        output.append(text: months[civil.month - 1])
        output.append(decimal: civil.year)
        output.append(UInt8(ascii: " "))
        appendTwoDigits(second / 3600, &output)
        output.append(UInt8(ascii: ":"))
        appendTwoDigits(second / 60 % 60, &output)
        output.append(UInt8(ascii: ":"))
        appendTwoDigits(second % 60, &output)
        output.append(text: " GMT\r\n")
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    private static let months = [
        " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ",
        " Nov ", " Dec ",
    ]

    private static func appendTwoDigits(_ value: Int, _ output: inout [UInt8]) {
        output.append(UInt8(ascii: "0") + UInt8(value / 10))
        output.append(UInt8(ascii: "0") + UInt8(value % 10))
    }

    /// The Gregorian date of a day counted from 1 January 1970.
    ///
    /// By eras of 400 years that begin on 1 March, after Hinnant's "chrono-compatible low-level
    /// date algorithms".
    private static func civilDate(day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
