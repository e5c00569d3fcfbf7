// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

/// What the known fields of a reading hold.
extension ReadingDecoder {
    mutating func readSensor(
        _ sensor: Int,
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        let token = try next(bytes)
        let value: Double
        switch token {
        case .null: return
        case .number(let range) where !format.isCategory[sensor]:
            let parsed = JSONNumber.parse(bytes, range) ?? .nan
            guard parsed.isFinite else {
                let name = format.fields[sensor].name
                return note(pointer.text(name), "the number exceeds the range of a double")
            }
            value = parsed
        case .string(let text) where format.isCategory[sensor]:
            let field = format.fields[sensor]
            guard let index = field.categories.firstIndex(where: { text.equals($0, in: bytes) })
            else { return note(pointer.text(field.name), field.wanted) }
            value = Double(index)
        default:
            let field = format.fields[sensor]
            note(pointer.text(field.name), "\(field.wanted), not \(token.words)")
            return try skipRest(of: token, in: field.name, bytes, pointer)
        }
        switch target {
        case .row(let row): rows.values[row * rows.sensorCount + sensor] = value
        case .history(let index, _): rows.historyValues[index * rows.sensorCount + sensor] = value
        }
    }

    mutating func readID(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        let token = try next(bytes)
        if token == .null, !format.needsID { return }
        guard case .string(let text) = token else {
            note(pointer.text("equipment_id"), "a string is needed, not \(token.words)")
            return try skipRest(of: token, in: "equipment_id", bytes, pointer)
        }
        // A history reading belongs to the machine of the request.
        guard case .row(let row) = target else { return }
        let start = rows.ids.count
        text.append(to: &rows.ids, from: bytes)
        let count = rows.ids.count - start
        guard (1...SpecLimits.equipmentIDBytesMax).contains(count) else {
            let limit = SpecLimits.equipmentIDBytesMax
            return note(pointer.text("equipment_id"), "has \(count) bytes; 1 to \(limit) are taken")
        }
        rows.rows[row].id = start..<start + count
        rows.rows[row].rawID = text.range.lowerBound + base..<text.range.upperBound + base
    }

    mutating func readTimestamp(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        let token = try next(bytes)
        var timestamp: Int64?
        switch token {
        case .null: return
        case .string(let text):
            if text.hasEscapes {
                // Some encoders escape the plus sign.
                let plain = text.string(in: bytes).utf8
                timestamp = Timestamp.parse(
                    plain.span,
                    0..<plain.count,
                    naiveOffsetMinutes: format.offsetMinutes
                )
            } else {
                timestamp = Timestamp.parse(
                    bytes,
                    text.range,
                    naiveOffsetMinutes: format.offsetMinutes
                )
            }
        case .number(let range): timestamp = Timestamp.parseSeconds(bytes, range)
        default:
            note(pointer.text("timestamp"), "RFC 3339 or seconds are needed, not \(token.words)")
            return try skipRest(of: token, in: "timestamp", bytes, pointer)
        }
        guard let timestamp else {
            return note(
                pointer.text("timestamp"),
                "neither RFC 3339 such as 2024-01-15T10:30:00Z nor seconds since the epoch"
            )
        }
        guard timestamp <= latest else {
            let limit = format.limits.futureLimit.map(Setting.text(of:)) ?? "none"
            return note(
                pointer.text("timestamp"),
                "lies more than \(limit) ahead of the server's clock"
            )
        }
        switch target {
        case .row(let row): rows.rows[row].timestamp = timestamp
        case .history(let index, _): rows.historyTimestamps[index] = timestamp
        }
    }

    mutating func readHistory(
        _ bytes: Span<UInt8>,
        _ pointer: RequestPointer,
        _ target: Target,
        _ rows: inout ReadingRows
    ) throws(ServiceError) {
        let token = try next(bytes)
        guard case .row(let row) = target, token != .null else { return }
        guard token == .arrayBegin else {
            note(pointer.text("history"), "an array of readings is needed, not \(token.words)")
            return try skipRest(of: token, in: "history", bytes, pointer)
        }
        let start = rows.historyTimestamps.count
        var place = pointer
        var count = 0
        while true {
            let element = try next(bytes)
            if element == .arrayEnd { break }
            guard count < format.limits.historyRowsMax else {
                throw .tooManyRows(limit: format.limits.historyRowsMax)
            }
            guard rows.historyTimestamps.count < historyMax else {
                throw .tooManyRows(limit: historyMax)
            }
            place.historyIndex = count
            count += 1
            // What is none takes no place, which may be larger than it.
            let index = element == .objectBegin ? rows.appendHistory() : start
            try readReading(element, bytes, place, .history(index, of: row), &rows)
        }
        rows.rows[row].history = start..<rows.historyTimestamps.count
    }
}
