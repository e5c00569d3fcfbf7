// SPDX-License-Identifier: MIT

internal import JSON
internal import Platform

/// Timestamps as microseconds since the Unix epoch, UTC, and their RFC 3339 text.
package enum Timestamp {
    /// Microseconds in a second.
    package static let microsecondsPerSecond: Int64 = 1_000_000
    /// Microseconds in an hour.
    package static let microsecondsPerHour: Int64 = 3_600_000_000
    /// The first and last moment that the text form can say: years 0001 to 9999.
    package static let range: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

    /// Seconds since the epoch, rounded to the microsecond; nil outside the years 1 to 9999.
    package static func microseconds(ofSeconds seconds: Double) -> Int64? {
        // The range's ends are no doubles, so the comparison is one of integers.
        guard let scaled = Int64(exactly: (seconds * 1e6).rounded()) else { return nil }
        return range.contains(scaled) ? scaled : nil
    }

    /// Reads a number of seconds since the epoch as JSON writes it; nil where it is none, or lies
    /// outside the years 1 to 9999.
    ///
    /// Digits of the fraction beyond the sixth are cut off, as in text; a number that is negative
    /// or has an exponent is rounded.
    package static func parseSeconds(_ bytes: Span<UInt8>, _ number: Range<Int>) -> Int64? {
        var cursor = DigitCursor(position: number.lowerBound, end: number.upperBound)
        var seconds: Int64 = 0
        // Beyond the range, and far from the most that an integer holds.
        while seconds < 1 << 38, let digit = cursor.number(bytes, digits: 1) {
            seconds = seconds * 10 + Int64(digit)
        }
        if !number.isEmpty, let fraction = cursor.fraction(bytes), cursor.position == cursor.end {
            let result = seconds * microsecondsPerSecond + fraction
            return range.contains(result) ? result : nil
        }
        return JSONNumber.parse(bytes, number).flatMap(microseconds(ofSeconds:))
    }

    /// Reads RFC 3339 text such as 2024-01-15T10:30:00.5+01:00 (section 5.6).
    ///
    /// A blank is accepted for the T; digits of the fraction beyond the sixth are cut off. Second
    /// 60 is the first of the next month and taken at no other moment (section 5.7).
    /// A text without zone is taken to be `naiveOffsetMinutes` east of UTC. The result is nil where
    /// the bytes are anything else, or no day of the calendar.
    package static func parse(
        _ bytes: Span<UInt8>,
        _ text: Range<Int>,
        naiveOffsetMinutes: Int
    ) -> Int64? {
        var cursor = DigitCursor(position: text.lowerBound, end: text.upperBound)
        guard let year = cursor.number(bytes, digits: 4), cursor.skip(bytes, "-"),
            let month = cursor.number(bytes, digits: 2), cursor.skip(bytes, "-"),
            let day = cursor.number(bytes, digits: 2),
            cursor.skip(bytes, "T") || cursor.skip(bytes, "t") || cursor.skip(bytes, " "),
            let hour = cursor.number(bytes, digits: 2), cursor.skip(bytes, ":"),
            let minute = cursor.number(bytes, digits: 2), cursor.skip(bytes, ":"),
            let second = cursor.number(bytes, digits: 2)
        else { return nil }
        guard year >= 1, (1...12).contains(month),
            day >= 1, day <= dayCount(year: year, month: month),
            hour < 24, minute < 60,
            let fraction = cursor.fraction(bytes),
            let offset = cursor.offsetMinutes(bytes, naive: naiveOffsetMinutes),
            cursor.position == cursor.end
        else { return nil }
        let seconds =
            days(year: year, month: month, day: day) * 86_400
            + Int64(hour * 3600 + (minute - offset) * 60 + second)
        guard second < 60 || second == 60 && beginsMonth(seconds) else { return nil }
        let result = seconds * microsecondsPerSecond + fraction
        return range.contains(result) ? result : nil
    }

    /// The most bytes that the text form takes: 2024-01-15T10:30:00.123456Z.
    package static let byteCountMax = 27

    /// Appends the moment as RFC 3339 in UTC, with as many digits of the fraction as it needs.
    package static func append(_ microseconds: Int64, to output: inout [UInt8]) {
        output.append(addingCapacity: byteCountMax) { append(microseconds, to: &$0) }
    }

    /// Appends the moment to an output that has room for ``byteCountMax`` bytes.
    package static func append(_ microseconds: Int64, to output: inout OutputSpan<UInt8>) {
        let moment = min(max(microseconds, range.lowerBound), range.upperBound)
        let (seconds, fraction) = floorDivide(moment, microsecondsPerSecond)
        let (day, secondOfDay) = floorDivide(seconds, 86_400)
        let date = civilDate(day: day)
        let (century, year) = date.year.quotientAndRemainder(dividingBy: 100)
        let (minuteOfDay, second) = Int(secondOfDay).quotientAndRemainder(dividingBy: 60)
        let (hour, minute) = minuteOfDay.quotientAndRemainder(dividingBy: 60)
        let (upper, rest) = Int(fraction).quotientAndRemainder(dividingBy: 10_000)
        let (middle, last) = rest.quotientAndRemainder(dividingBy: 100)
        // Eight bytes at a time, the first lowest: "0000-00-", "00T00:00" and ":00.0000" with the
        // digits added.
        output.append(
            word: 0x2D30_302D_3030_3030 | digits(century) | digits(year) << 16
                | digits(date.month) << 40
        )
        output.append(
            word: 0x3030_3A30_3054_3030 | digits(date.day) | digits(hour) << 24
                | digits(minute) << 48
        )
        output.append(
            word: 0x3030_3030_2E30_303A | digits(second) << 8 | digits(upper) << 32
                | digits(middle) << 48
        )
        if fraction == 0 {
            output.removeLast(5)
        } else {
            let lastDigits = digits(last)
            output.append(UInt8(ascii: "0") | UInt8(truncatingIfNeeded: lastDigits))
            output.append(UInt8(ascii: "0") | UInt8(truncatingIfNeeded: lastDigits >> 8))
            var zeros = fraction
            while zeros % 10 == 0 {
                output.removeLast(1)
                zeros /= 10
            }
        }
        output.append(UInt8(ascii: "Z"))
    }

    /// The two digits of a number below 100, the first in the lowest byte.
    @inline(__always)
    private static func digits(_ value: Int) -> UInt64 {
        let number = UInt64(truncatingIfNeeded: value)
        // A tenth, rounded down, of all numbers below 179.
        let tens = (number &* 103) >> 10
        return tens | (number &- tens &* 10) << 8
    }

    /// The moment as RFC 3339 text in UTC.
    package static func text(_ microseconds: Int64) -> String {
        var bytes: [UInt8] = []
        append(microseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Days since the epoch of a day in the proleptic Gregorian calendar.
    ///
    /// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    static func days(year: Int, month: Int, day: Int) -> Int64 {
        let shiftedYear = Int64(month <= 2 ? year - 1 : year)
        let (era, yearOfEra) = floorDivide(shiftedYear, 400)
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = Int64((153 * monthFromMarch + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// The calendar day of a count of days since the epoch (civil_from_days, ibid.).
    static func civilDate(day: Int64) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = floorDivide(day + 719_468, 146_097)
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
        return (
            year: Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0),
            month: month,
            day: Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
        )
    }

    /// Quotient rounded down and the remainder that is never negative.
    static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
    }

    /// Whether a month begins with that second since the epoch, in UTC.
    private static func beginsMonth(_ seconds: Int64) -> Bool {
        let (day, secondOfDay) = floorDivide(seconds, 86_400)
        return secondOfDay == 0 && civilDate(day: day).day == 1
    }

    private static func dayCount(year: Int, month: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

/// A position in the text of a timestamp.
private struct DigitCursor {
    var position: Int
    let end: Int

    mutating func number(_ bytes: Span<UInt8>, digits: Int) -> Int? {
        guard position + digits <= end else { return nil }
        var value = 0
        for index in position..<position + digits {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        position += digits
        return value
    }

    mutating func skip(_ bytes: Span<UInt8>, _ byte: Unicode.Scalar) -> Bool {
        guard position < end, bytes[position] == UInt8(ascii: byte) else { return false }
        position += 1
        return true
    }

    /// Microseconds of an optional `.digits`; nil for a point without digits.
    mutating func fraction(_ bytes: Span<UInt8>) -> Int64? {
        guard skip(bytes, ".") else { return 0 }
        var value: Int64 = 0
        var unit: Int64 = 100_000
        let start = position
        while let digit = number(bytes, digits: 1) {
            value += Int64(digit) * unit
            unit /= 10
        }
        return position > start ? value : nil
    }

    mutating func offsetMinutes(_ bytes: Span<UInt8>, naive: Int) -> Int? {
        if position == end { return naive }
        if skip(bytes, "Z") || skip(bytes, "z") { return 0 }
        let isEast = skip(bytes, "+")
        guard isEast || skip(bytes, "-"),
            let hours = number(bytes, digits: 2), skip(bytes, ":"),
            let minutes = number(bytes, digits: 2), hours < 24, minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (isEast ? 1 : -1)
    }
}
