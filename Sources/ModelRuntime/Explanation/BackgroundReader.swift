// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

/// Reads `background.json`, its records token by token: as a tree their numbers would take more
/// time and memory at every start than all else of a bundle.
struct BackgroundReader {
    private let bytes: [UInt8]
    private let schema: Schema
    /// The most readings of a record.
    private let readingsMax: Int
    private var reader = JSONReader()

    init(_ bytes: [UInt8], schema: Schema, limits: BundleLimits) {
        self.bytes = bytes
        self.schema = schema
        readingsMax = limits.goldenHistoryMax + 1
    }

    /// The records, of which there are one at least.
    mutating func read() throws(BundleError) -> [BackgroundRecord] {
        var records: [BackgroundRecord] = []
        var others = JSONObject()
        guard try next() == .objectBegin else { throw refuse("", "an object") }
        while case .key(let text) = try next() {
            let key = text.string(in: bytes.span)
            if key == "records", records.isEmpty {
                records = try readRecords()
            } else if try !others.insert(key, nextValue()) {
                let error = JSONError.duplicateKey(offset: text.range.lowerBound - 1)
                throw .json(file: BundleFile.background, error)
            }
        }
        _ = try next()  // The end, or it throws.
        try check(JSONView(.object(others)))
        guard !records.isEmpty else { throw refuse("/records", "records") }
        return records
    }

    private func check(_ json: JSONView) throws(BundleError) {
        let format = try BundleFile.decode(BundleFile.background) { () throws(JSONShapeError) in
            let names = try json.required("sensors")
            guard try names.strings == schema.sensors.map(\.name) else {
                throw names.refuse("the schema's sensors in their order")
            }
            return try json.required("format").int
        }
        guard format == BackgroundRecord.format else {
            let expected = BackgroundRecord.format
            throw .format(file: BundleFile.background, actual: format, expected: expected)
        }
    }

    private mutating func readRecords() throws(BundleError) -> [BackgroundRecord] {
        let expected = "1 to \(BackgroundRecord.countMax) records"
        var records: [BackgroundRecord] = []
        guard try next() == .arrayBegin else { throw refuse("/records", expected) }
        while case let token = try next(), token != .arrayEnd {
            guard token == .objectBegin, records.count < BackgroundRecord.countMax else {
                throw refuse("/records", expected)
            }
            records.append(try readRecord("/records/\(records.count)"))
        }
        return records
    }

    private mutating func readRecord(_ pointer: String) throws(BundleError) -> BackgroundRecord {
        var times: [Int64] = []
        var rows: [[Double]] = []
        while case .key(let text) = try next() {
            switch text.string(in: bytes.span) {
            case "timestamps" where times.isEmpty: times = try readTimes(pointer)
            case "values" where rows.isEmpty: rows = try readRows(pointer)
            case "timestamps", "values": throw refuse(pointer, "timestamps and values once")
            default: _ = try nextValue()
            }
        }
        guard times.count == rows.count, !times.isEmpty else {
            throw refuse(pointer, "timestamps and a row of values for each")
        }
        var readings = zip(times, rows).map { GoldenCase.Reading(timestamp: $0, values: $1) }
        let reading = readings.removeLast()
        return BackgroundRecord(history: readings, reading: reading)
    }

    private mutating func readTimes(_ pointer: String) throws(BundleError) -> [Int64] {
        var times: [Int64] = []
        guard try next() == .arrayBegin else { throw refuse(pointer, "timestamps") }
        while case let token = try next(), token != .arrayEnd {
            guard times.count < readingsMax, case .string(let text) = token,
                let time = Timestamp.parse(bytes.span, text.range, naiveOffsetMinutes: 0)
            else { throw refuse(pointer, "1 to \(readingsMax) timestamps of RFC 3339") }
            times.append(time)
        }
        return times
    }

    private mutating func readRows(_ pointer: String) throws(BundleError) -> [[Double]] {
        var rows: [[Double]] = []
        guard try next() == .arrayBegin else { throw refuse(pointer, "rows of values") }
        while case let token = try next(), token != .arrayEnd {
            guard rows.count < readingsMax, token == .arrayBegin, let row = try readRow() else {
                throw refuse(pointer, "1 to \(readingsMax) rows, a value or null of each sensor")
            }
            rows.append(row)
        }
        return rows
    }

    /// The values of an open row; nil where there are more, fewer or others than the sensors have.
    private mutating func readRow() throws(BundleError) -> [Double]? {
        var row: [Double] = []
        row.reserveCapacity(schema.sensors.count)
        while case let token = try next(), token != .arrayEnd {
            guard row.count < schema.sensors.count, let value = value(token, of: row.count) else {
                return nil
            }
            row.append(value)
        }
        return row.count == schema.sensors.count ? row : nil
    }

    /// The value of a sensor as bundles write it.
    private func value(_ token: JSONToken, of sensor: Int) -> Double? {
        let isCategory = schema.sensors[sensor].kind == .category
        switch token {
        case .null: return .nan
        case .number(let range) where !isCategory:
            return JSONNumber.parse(bytes.span, range).flatMap { $0.isFinite ? $0 : nil }
        case .string(let text) where isCategory:
            let name = text.string(in: bytes.span)
            return schema.sensors[sensor].categories.firstIndex(of: name).map(Double.init)
        default: return nil
        }
    }

    private mutating func next() throws(BundleError) -> JSONToken {
        // Apart from self, so that the reader can move on while the bytes are read.
        let bytes = bytes
        do throws(JSONError) {
            return try reader.next(bytes.span)
        } catch {
            throw .json(file: BundleFile.background, error)
        }
    }

    private mutating func nextValue() throws(BundleError) -> JSONValue {
        let bytes = bytes
        do throws(JSONError) {
            return try JSONValue.next(&reader, bytes.span)
        } catch {
            throw .json(file: BundleFile.background, error)
        }
    }

    private func refuse(_ pointer: String, _ expected: String) -> BundleError {
        let error = JSONShapeError(pointer: pointer, expected: expected, found: "others")
        return .shape(file: BundleFile.background, error)
    }
}
