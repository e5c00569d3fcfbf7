// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer
internal import JSON
internal import Platform

/// What is known of one machine: shown to all, changed by operators only.
extension PredictionService {
    static let kindBytesMax = 64
    /// A time and a kind take 100 bytes.
    static let maintenanceBytesMax = 4096

    /// Answers `GET /equipment/{id}`.
    func showMachine(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ response: inout Response
    ) throws(ServiceError) {
        let (model, state, id) = try machine(request, bytes)
        guard let found = state.snapshot(id: id.span, engine: model.engine) else {
            throw .unknownMachine
        }
        response.body.append(contentsOf: json(found, id, model).serialized())
    }

    /// Answers `POST /equipment/{id}/maintenance`: the machine starts anew at that moment.
    func maintain(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ response: inout Response
    ) throws(ServiceError) {
        let (model, state, id) = try machine(request, bytes)
        if let field = request.value(of: "Content-Type", in: bytes),
            MediaType(field, in: bytes) != .json
        {
            throw .unsupportedMediaType
        }
        try checkPrecondition(request, of: id, state, model)
        let event = try maintenanceEvent(request, bytes, model)
        guard state.resetWindows(id: id.span, before: event.timestamp) else {
            throw .unknownMachine
        }
        let time = Timestamp.text(event.timestamp)
        log.event(
            .info,
            "maintenance",
            [
                ("equipment_id", .string(text(id))), ("kind", .string(event.kind)),
                ("timestamp", .string(time)),
            ]
        )
        let answer: JSONValue = [
            "equipment_id": .string(text(id)), "timestamp": .string(time),
            "kind": .string(event.kind),
        ]
        response.body.append(contentsOf: answer.serialized())
    }

    /// Answers `DELETE /equipment/{id}`.
    func forgetMachine(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ response: inout Response
    ) throws(ServiceError) {
        let (model, state, id) = try machine(request, bytes)
        try checkPrecondition(request, of: id, state, model)
        guard state.remove(id: id.span) else { throw .unknownMachine }
        log.event(.info, "machine_forgotten", [("equipment_id", .string(text(id)))])
        response.status = 204
    }

    private func machine(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>
    ) throws(ServiceError) -> (ServedModel, StateStore, id: [UInt8]) {
        guard let model = models.current else { throw .noModel }
        guard let state = model.state else { throw .unknownMachine }
        let encoded = request.pathParameter
        guard let id = PercentCoding.decode(bytes, encoded) else { throw .malformedPath }
        if let shard = limits.shard {
            let owner = shard.owner(of: id.span)
            guard owner == shard else {
                throw .misdirected(pointer: "", owner: owner, shard: shard)
            }
        }
        return (model, state, id)
    }

    /// As for other requests; a machine that is not there is told first.
    private func checkPrecondition(
        _ request: borrowing Request,
        of id: [UInt8],
        _ state: StateStore,
        _ model: ServedModel
    ) throws(ServiceError) {
        guard request.failsPrecondition else { return }
        guard state.snapshot(id: id.span, engine: model.engine) != nil else {
            throw .unknownMachine
        }
        throw .preconditionFailed
    }

    private func maintenanceEvent(
        _ request: borrowing Request,
        _ bytes: Span<UInt8>,
        _ model: ServedModel
    ) throws(ServiceError) -> (timestamp: Int64, kind: String) {
        let now = wallClock.nowMicroseconds
        if request.body.isEmpty { return (now, "unspecified") }
        let body: JSONValue
        do throws(JSONError) {
            body = try JSONValue.parse(bytes.extracting(request.body))
        } catch {
            throw .malformedJSON(error)
        }
        guard case .object(let fields) = body else {
            throw .invalidContent([FieldProblem(pointer: "", detail: "an object is needed")])
        }
        var timestamp = now
        if let given = fields["timestamp"], given != .null {
            timestamp = eventTime(given, model) ?? .max
        }
        // A reset that lies ahead would make all readings until then stale.
        guard timestamp <= now else { throw problem("timestamp", Self.eventTimeNeeds) }
        switch fields["kind"] ?? .null {
        case .null: return (timestamp, "unspecified")
        case .string(let kind) where kind.utf8.count <= Self.kindBytesMax: return (timestamp, kind)
        default: throw problem("kind", "a string of at most \(Self.kindBytesMax) bytes is needed")
        }
    }

    static let eventTimeNeeds = "RFC 3339 or seconds, and not ahead of the clock, are needed"

    /// The moment that a field tells; nil where it is none.
    func eventTime(_ value: JSONValue, _ model: ServedModel) -> Int64? {
        switch value {
        case .string(let text):
            return Timestamp.parse(
                text.utf8.span,
                0..<text.utf8.count,
                naiveOffsetMinutes: model.format.offsetMinutes
            )
        case .number:
            // The fewest digits that say the number: most often those that came.
            let digits = value.serialized()
            return Timestamp.parseSeconds(digits.span, 0..<digits.count)
        default: return nil
        }
    }

    private func problem(_ field: String, _ detail: String) -> ServiceError {
        .invalidContent([FieldProblem(pointer: "/\(field)", detail: detail)])
    }

    private func text(_ id: [UInt8]) -> String { String(decoding: id, as: UTF8.self) }

    private func alarm(_ alarm: AlarmRecord, _ id: [UInt8], _ model: ServedModel) -> JSONValue {
        guard let alarms = model.answering(id: id.span).alarms else { return .null }
        let since = alarm.state(of: alarms.model).since
        return [
            "active": .bool(since != nil),
            "since": since.map { .string(Timestamp.text($0)) } ?? .null,
        ]
    }

    private func json(_ machine: MachineSnapshot, _ id: [UInt8], _ model: ServedModel) -> JSONValue
    {
        func time(_ moment: Int64?) -> JSONValue {
            moment.map { .string(Timestamp.text($0)) } ?? .null
        }
        var windows = JSONObject()
        for window in machine.windows {
            var sensors = JSONObject()
            for gauge in window.gauges {
                var values = JSONObject()
                values["count"] = .integer(gauge.count)
                values["mean"] = .number(gauge.mean)
                values["std"] = gauge.standardDeviation.map { .number($0) }
                values["max"] = gauge.maximum.map { .number($0) }
                let name = model.engine.transform.schema.sensors[gauge.sensor].name
                sensors[name] = .object(values)
            }
            windows["\(window.hours)h"] = [
                "fill": .number(window.fill), "sensors": .object(sensors),
            ]
        }
        return [
            "equipment_id": .string(text(id)),
            "readings": .integer(machine.readingCount),
            "last_timestamp": time(machine.lastTimestamp),
            "last_arrival": time(machine.lastArrival),
            "first_pane": time(machine.firstPane),
            "alarm": alarm(machine.alarm, id, model),
            "windows": .object(windows),
        ]
    }
}

/// Reads the percent-encoded octets of a path segment (RFC 3986 §2.1).
enum PercentCoding {
    /// The bytes of a segment; nil where an escape is none or the bytes are no UTF-8.
    static func decode(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8]? {
        var result: [UInt8] = []
        var index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] != UInt8(ascii: "%") {
                result.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < range.upperBound, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            else { return nil }
            result.append(high << 4 | low)
            index += 3
        }
        return String(validating: result, as: UTF8.self) == nil ? nil : result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
