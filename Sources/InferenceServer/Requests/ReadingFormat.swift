// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

/// The form of a request's readings, made from a model's schema.
///
/// A class, so that handing it on costs one reference and not one for each of its parts.
final class ReadingFormat: Sendable {
    /// A sensor as a request names it.
    struct Field: Sendable {
        let name: String
        let isOptional: Bool
        /// The names of a category, empty for a number.
        let categories: [[UInt8]]

        /// What a request may hold there, in words for a message.
        var wanted: String {
            guard !categories.isEmpty else { return "a number or null is needed" }
            let names = categories.prefix(16).map { String(decoding: $0, as: UTF8.self) }
            return "one of \(names.joined(separator: ", ")) or null is needed"
        }
    }

    /// What a key of a reading stands for.
    enum Key: Equatable {
        case equipmentID
        case timestamp
        case history
        case sensor(Int)
    }

    let fields: [Field]
    /// Whether a sensor's values are names; beside ``fields``, whose elements cost references.
    let isCategory: [Bool]
    /// Whether rows belong to machines, so that an id is needed.
    let needsID: Bool
    /// Whether machines have windows, so that history has a meaning.
    let hasState: Bool
    /// Whether a reading has to bring its history.
    let needsHistory: Bool
    /// How far ahead of its arrival a reading may be, in microseconds; nil for no limit.
    private let aheadMax: Int64?
    /// Minutes east of UTC of timestamps without a zone.
    let offsetMinutes: Int
    let limits: ServiceLimits
    /// Body sizes are bounded by the route; depth and strings here.
    let jsonLimits = JSONLimits(depthMax: 32, byteCountMax: .max, stringByteCountMax: 4096)
    /// The sensors' names and then those of the fixed keys, in quotes and in one piece.
    let quotedNames: [UInt8]
    /// Where each name's first quote stands, and where the last name ends.
    let quotedStarts: [Int]
    /// The same names as the short way compares them.
    let plainNames: [PlainName]
    /// One bit for each sensor and fixed key, set where a reading has to have it.
    let required: UInt64
    /// Whether the short way is open: the bits suffice and no name needs an escape.
    let takesPlainReadings: Bool

    /// `takesPlainReadings` closes the short way for a comparison with the long one.
    init(schema: Schema, limits: ServiceLimits, takesPlainReadings: Bool = true) {
        fields = schema.sensors.map { sensor in
            Field(
                name: sensor.name,
                isOptional: sensor.isOptional,
                categories: sensor.categories.map { Array($0.utf8) }
            )
        }
        isCategory = schema.sensors.map { $0.kind == .category }
        needsID = schema.entityColumn != nil
        hasState = schema.hasState
        needsHistory = hasState && limits.requiresHistory == .on
        offsetMinutes = schema.time?.offsetMinutes ?? 0
        aheadMax = limits.futureLimit.map { Int64($0 / .microseconds(1)) }
        self.limits = limits
        var names: [UInt8] = []
        var starts = [0]
        var hasPlainNames = true
        for name in schema.sensors.map(\.name) + ["equipment_id", "timestamp", "history"] {
            names.append(UInt8(ascii: "\""))
            names.append(contentsOf: name.utf8)
            names.append(UInt8(ascii: "\""))
            starts.append(names.count)
            if name.utf8.contains(where: JSONWriter.escapes) { hasPlainNames = false }
        }
        quotedNames = names
        quotedStarts = starts
        plainNames = starts.indices.dropLast().map { PlainName(names, starts[$0]..<starts[$0 + 1]) }
        self.takesPlainReadings = takesPlainReadings && hasPlainNames && starts.count <= 64
        var required: UInt64 = needsID ? 1 << UInt64(fields.count) : 0
        for (index, field) in fields.enumerated() where !field.isOptional {
            required |= 1 << UInt64(index)
        }
        // The short way reads no history, and so is closed.
        if needsHistory { required |= 1 << UInt64(fields.count + 2) }
        self.required = required
    }

    /// What a key stands for; `expected` is the sensor that clients name next, who keep an order.
    func key(_ text: JSONText, in bytes: Span<UInt8>, expected: Int) -> Key? {
        if text.hasEscapes { return key(escaped: text, in: bytes) }
        let count = fields.count
        if expected < count, matches(text.range, expected, bytes) { return .sensor(expected) }
        if matches(text.range, count, bytes) { return .equipmentID }
        if matches(text.range, count + 1, bytes) { return .timestamp }
        if hasState, matches(text.range, count + 2, bytes) { return .history }
        for index in 0..<count where matches(text.range, index, bytes) { return .sensor(index) }
        return nil
    }

    /// The last moment that a reading arriving then may be about, microseconds since the epoch.
    func latest(arrival: Int64) -> Int64 { aheadMax.map { arrival + $0 } ?? .max }

    /// Whether a reading lacks a sensor that it must have.
    func needsMore(than seen: SeenKeys) -> Bool {
        for index in fields.indices
        where !seen.contains(.sensor(index)) && !fields[index].isOptional { return true }
        return false
    }

    /// The sensors that a reading must have and has not.
    func requiredSensors(absentFrom seen: SeenKeys) -> [Int] {
        var absent: [Int] = []
        for index in fields.indices
        where !seen.contains(.sensor(index)) && !fields[index].isOptional { absent.append(index) }
        return absent
    }

    private func key(escaped text: JSONText, in bytes: Span<UInt8>) -> Key? {
        var plain: [UInt8] = []
        text.append(to: &plain, from: bytes)
        let span = plain.span
        let count = fields.count
        for index in 0..<count + 3 where matches(0..<plain.count, index, span) {
            switch index - count {
            case 0: return .equipmentID
            case 1: return .timestamp
            case 2: return hasState ? .history : nil
            default: return .sensor(index)
            }
        }
        return nil
    }

    private func matches(_ text: Range<Int>, _ name: Int, _ bytes: Span<UInt8>) -> Bool {
        let start = quotedStarts[name] + 1
        guard text.count == quotedStarts[name + 1] - 1 - start else { return false }
        for offset in 0..<text.count
        where bytes[text.lowerBound + offset] != quotedNames[start + offset] { return false }
        return true
    }
}

/// The keys that a reading has had so far, one bit each.
struct SeenKeys {
    private var words: InlineArray<5, UInt64> = .init(repeating: 0)

    /// Whether the key is new; it is not when asked again.
    mutating func insert(_ key: ReadingFormat.Key) -> Bool {
        let place = place(of: key)
        let bit: UInt64 = 1 << UInt64(place % 64)
        let isNew = words[place / 64] & bit == 0
        words[place / 64] |= bit
        return isNew
    }

    func contains(_ key: ReadingFormat.Key) -> Bool {
        let place = place(of: key)
        return words[place / 64] >> UInt64(place % 64) & 1 == 1
    }

    private func place(of key: ReadingFormat.Key) -> Int {
        switch key {
        case .equipmentID: 0
        case .timestamp: 1
        case .history: 2
        // A schema has up to 256 sensors.
        case .sensor(let index): 3 + index
        }
    }
}
