// SPDX-License-Identifier: MIT

internal import JSON

/// Something that happened to a machine, as those who were there tell it.
package struct FeedbackEvent: Equatable, Sendable {
    /// What kind of thing.
    package enum Kind: String, Sendable, CaseIterable {
        /// The machine failed: what predictions are about.
        case failure
        /// It was worked on, and its windows begin anew.
        case maintenance
        /// It was stopped as planned, which is no failure.
        case plannedStop = "planned_stop"
        /// Somebody looked at it and changed nothing.
        case inspection
    }

    /// What makes two events one: the same told twice.
    struct Key: Hashable {
        /// In bytes, by which machines are told apart.
        let id: [UInt8]
        let kind: Kind
        let timestamp: Int64
    }

    /// The machine.
    package var equipmentID: String
    /// What happened.
    package var kind: Kind
    /// When it happened, microseconds since the epoch.
    package var timestamp: Int64
    /// When it was told.
    package var received: Int64
    /// What was said of it.
    package var note: String?

    /// Describes an event.
    package init(
        equipmentID: String,
        kind: Kind,
        timestamp: Int64,
        received: Int64,
        note: String? = nil
    ) {
        self.equipmentID = equipmentID
        self.kind = kind
        self.timestamp = timestamp
        self.received = received
        self.note = note
    }

    var key: Key { Key(id: Array(equipmentID.utf8), kind: kind, timestamp: timestamp) }
}

/// The lines of the events' file, `feedback.jsonl` beside a decision log.
///
/// A line is 16 hexadecimal digits, a blank and a JSON object with `format`, `equipment_id`,
/// `kind`, `timestamp`, `received` and, where there is one, `note`. The digits are the hash of the
/// object's bytes, as a state file's head has it; a line whose digits do not fit is torn.
extension FeedbackEvent {
    /// The number that each line carries.
    package static let format = 1
    /// The file's name.
    package static let fileName = "feedback.jsonl"

    /// The event's line with its end.
    var line: [UInt8] {
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object["equipment_id"] = .string(equipmentID)
        object["kind"] = .string(kind.rawValue)
        object["timestamp"] = .string(Timestamp.text(timestamp))
        object["received"] = .string(Timestamp.text(received))
        object["note"] = note.map { .string($0) }
        let json = JSONValue.object(object).serialized()
        return Self.digits(of: json) + [UInt8(ascii: " ")] + json + [UInt8(ascii: "\n")]
    }

    /// Reads a line without its end; nil where it is torn.
    init?(line: ArraySlice<UInt8>) {
        let digitCount = 16
        guard line.count > digitCount + 1 else { return nil }
        let json = Array(line.dropFirst(digitCount + 1))
        guard Array(line.prefix(digitCount)) == Self.digits(of: json),
            let view = (try? JSONValue.parse(json)).map({ JSONView($0) }),
            (try? view.required("format").int) == Self.format,
            let id = try? view.required("equipment_id").string,
            let kind = (try? view.required("kind").string).flatMap(Kind.init(rawValue:)),
            let timestamp = Self.time(view, "timestamp"),
            let received = Self.time(view, "received")
        else { return nil }
        self.init(
            equipmentID: id,
            kind: kind,
            timestamp: timestamp,
            received: received,
            note: try? view.optional("note")?.string
        )
    }

    private static func time(_ view: JSONView, _ name: String) -> Int64? {
        guard let text = try? view.required(name).string else { return nil }
        return Timestamp.parse(text.utf8.span, 0..<text.utf8.count, naiveOffsetMinutes: 0)
    }

    private static func digits(of bytes: [UInt8]) -> [UInt8] {
        let digits = Array(String(hashBytes(bytes.span, seed: 0), radix: 16).utf8)
        return Array(repeating: UInt8(ascii: "0"), count: 16 - digits.count) + digits
    }
}
