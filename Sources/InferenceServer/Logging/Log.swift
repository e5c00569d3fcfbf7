// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import Platform

/// Writes one line per event; memory is taken only for lines that are written.
///
/// Fields never hold secrets, nor what a client sent beyond names that were checked.
///
/// - Note: Thread-safe: a line goes out in one write.
final class Log: Sendable {
    private let level: LogLevel
    private let format: LogFormat
    private let clock: WallClock
    private let write: @Sendable ([UInt8]) -> Void
    /// By ``RepeatedEvent``.
    private let gates = RepeatedEvent.allCases.map { _ in RepeatGate() }

    init(
        level: LogLevel = .info,
        format: LogFormat = .json,
        clock: WallClock = .system,
        write: @escaping @Sendable ([UInt8]) -> Void = StandardError.log
    ) {
        self.level = level
        self.format = format
        self.clock = clock
        self.write = write
    }

    /// Whether lines of that level are written.
    func isWritten(_ level: LogLevel) -> Bool { level >= self.level }

    /// Writes an event with its fields in their order.
    func event(
        _ level: LogLevel,
        _ name: String,
        _ fields: @autoclosure () -> [(name: String, value: LogValue)] = []
    ) {
        guard isWritten(level) else { return }
        let time = Timestamp.text(clock.nowMicroseconds)
        let line =
            switch format {
            case .json: jsonLine(time, level, name, fields())
            case .text: textLine(time, level, name, fields())
            }
        write(line)
    }

    /// Writes an event that may come as often as requests do: ten lines in ten seconds, the next
    /// one after a gap with the number of those left out as `suppressed`.
    func event(
        _ repeated: RepeatedEvent,
        _ fields: @autoclosure () -> [(name: String, value: LogValue)]
    ) {
        guard isWritten(repeated.level),
            let leftOut = gates[repeated.rawValue].pass(now: clock.nowMicroseconds)
        else { return }
        let suppressed: [(name: String, value: LogValue)] =
            leftOut > 0 ? [("suppressed", .integer(leftOut))] : []
        event(repeated.level, repeated.name, fields() + suppressed)
    }

    private func jsonLine(
        _ time: String,
        _ level: LogLevel,
        _ name: String,
        _ fields: [(name: String, value: LogValue)]
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("time")
        writer.string(time)
        writer.key("level")
        writer.string(level.rawValue)
        writer.key("event")
        writer.string(name)
        for field in fields {
            writer.key(field.name)
            switch field.value {
            case .string(let text): writer.string(text)
            case .integer(let value): writer.integer(value)
            case .number(let value): writer.numberOrNull(value)
            case .bool(let value): writer.bool(value)
            }
        }
        writer.endObject()
        return writer.finish() + [UInt8(ascii: "\n")]
    }

    private func textLine(
        _ time: String,
        _ level: LogLevel,
        _ name: String,
        _ fields: [(name: String, value: LogValue)]
    ) -> [UInt8] {
        var line = "\(time) \(level.rawValue.uppercased()) \(name)"
        for field in fields {
            switch field.value {
            case .string(let text): line += " \(field.name)=\(quoted(text))"
            case .integer(let value): line += " \(field.name)=\(value)"
            case .number(let value): line += " \(field.name)=\(value)"
            case .bool(let value): line += " \(field.name)=\(value)"
            }
        }
        return Array(line.utf8) + [UInt8(ascii: "\n")]
    }

    /// A text with blanks or control characters goes in quotes, so that a line stays a line.
    private func quoted(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { scalar in
            scalar > " " && scalar != "\"" && !Self.isUpperControl(scalar)
        }
        guard !isPlain || text.isEmpty else { return text }
        var quoted = ""
        let json = String(decoding: JSONValue.string(text).serialized(), as: UTF8.self)
        for scalar in json.unicodeScalars {
            if Self.isUpperControl(scalar) {
                quoted += "\\u00" + String(scalar.value, radix: 16)
            } else {
                quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted
    }

    /// Whether a terminal may act on a scalar that JSON writes as it is: DEL and C1 of ISO 6429.
    private static func isUpperControl(_ scalar: Unicode.Scalar) -> Bool {
        (0x7F...0x9F).contains(scalar.value)
    }
}
