// SPDX-License-Identifier: MIT

internal import Features

/// The name of a bundle: the second of its making in UTC, `YYYYMMDD_HHMMSS`.
package struct BundleVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Microseconds since the epoch, a whole number of seconds.
    package let microseconds: Int64

    /// The version of a moment, the fraction of its second cut off.
    package init(microseconds: Int64) {
        let range = Timestamp.range
        let moment = min(max(microseconds, range.lowerBound), range.upperBound)
        let rest = moment % Timestamp.microsecondsPerSecond
        self.microseconds = moment - (rest < 0 ? rest + Timestamp.microsecondsPerSecond : rest)
    }

    /// Reads the text form; nil for anything else, or no second of the calendar.
    package init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 15, digits[8] == UInt8(ascii: "_") else { return nil }
        var moment: [UInt8] = []
        for (index, digit) in digits.enumerated() {
            switch index {
            case 4, 6: moment += [UInt8(ascii: "-"), digit]
            case 8: moment.append(UInt8(ascii: "T"))
            case 11, 13: moment += [UInt8(ascii: ":"), digit]
            default: moment.append(digit)
            }
        }
        let range = 0..<moment.count
        guard let time = Timestamp.parse(moment.span, range, naiveOffsetMinutes: 0) else {
            return nil
        }
        self.init(microseconds: time)
        // A leap second is written like the next minute's first one.
        guard description == text else { return nil }
    }

    package var description: String {
        var text = ""
        for character in Timestamp.text(microseconds).utf8 {
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                text.unicodeScalars.append(Unicode.Scalar(character))
            case UInt8(ascii: "T"): text += "_"
            default: break
            }
        }
        return text
    }

    package static func < (left: BundleVersion, right: BundleVersion) -> Bool {
        left.microseconds < right.microseconds
    }
}
