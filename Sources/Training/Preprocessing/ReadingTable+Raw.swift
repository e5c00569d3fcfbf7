// SPDX-License-Identifier: MIT

package import Features

extension ReadingTable {
    /// The largest magnitude of a value that counts: the squares of 2^31 larger ones may overflow.
    static let magnitudeMax = 1e100

    /// Reads a data file in the form that its schema describes.
    ///
    /// Where the label is a remaining life, a machine's life ends with its last row, or as many
    /// hours later as its line of the file `remainingLifePath` says (one number per machine, in
    /// the order in which the machines appear). `contextColumn` says with 1 which rows are context.
    ///
    /// - Throws: ``TrainingError`` naming file, row and column, also where more than 1 % of the
    ///   rows do not come after the earlier ones of their machine.
    package static func load(
        _ path: String,
        schema: Schema,
        remainingLifePath: String? = nil,
        contextColumn: String? = nil
    ) throws(TrainingError) -> ReadingTable {
        let columns = RawColumns(schema: schema, context: contextColumn)
        let table = try readTable(path, columns.format, columns.requests)
        var readings = ReadingTable(
            schema: schema,
            entities: columns.entity.flatMap { table.columns[$0].categories },
            timestamps: columns.time.flatMap { table.columns[$0].timestamps },
            values: [],
            labels: Array(repeating: 0, count: table.rowCount)
        )
        do throws(TableError) {
            for (sensor, request) in zip(schema.sensors, columns.sensors) {
                readings.values.append(try values(of: sensor, table, request, schema))
            }
            if let label = columns.label { readings.labels = try table.flags(label) }
            if let context = columns.context {
                readings.isContext = try table.flags(context).map { $0 == 1 }
            }
            try readings.checkMachines(table, column: columns.entity)
            try readings.checkOrder(table, column: columns.time)
        } catch {
            throw .table(path: path, error)
        }
        if case .column(let name) = schema.label {
            guard remainingLifePath == nil else {
                throw .unusable("schema \(schema.name): its label is column \(name), no life")
            }
        } else {
            try readings.labelByRemainingLife(remainingLifePath, path)
        }
        return readings
    }

    static func readTable(
        _ path: String,
        _ format: TableFormat,
        _ requests: [ColumnRequest]
    ) throws(TrainingError) -> Table {
        do throws(TableError) {
            return try TableReader.read(
                try TableReader.load(path),
                format: format,
                columns: requests
            )
        } catch {
            throw .table(path: path, error)
        }
    }

    private static func values(
        of sensor: Sensor,
        _ table: Table,
        _ request: Int,
        _ schema: Schema
    ) throws(TableError) -> [Double] {
        switch table.columns[request] {
        case .numbers(let numbers):
            let row = numbers.firstIndex {
                abs($0) > magnitudeMax && sensor.range?.contains($0) ?? true
            }
            guard let row else { return numbers }
            let why = "expected a number of at most 1e100 in magnitude, found \(numbers[row])"
            throw table.refusal(row: row, request: request, why)
        // The column that is both the time and an input was read as the time.
        case .timestamps(let moments):
            let unit =
                schema.time?.unit == .seconds
                ? Timestamp.microsecondsPerSecond : Timestamp.microsecondsPerHour
            return moments.map { Double($0) / Double(unit) }
        case .categories(let categories):
            let indices = categories.categories.map { sensor.categories.firstIndex(of: $0) }
            var values: [Double] = []
            values.reserveCapacity(categories.codes.count)
            for (row, code) in categories.codes.enumerated() {
                let text = categories.categories[Int(code)]
                guard text.isEmpty || indices[Int(code)] != nil else {
                    let found = TableParser.shortened(text, to: 40)
                    throw table.refusal(
                        row: row,
                        request: request,
                        "expected one of \(sensor.categories), found \"\(found)\""
                    )
                }
                values.append(indices[Int(code)].map(Double.init) ?? .nan)
            }
            return values
        case .texts: preconditionFailure("no sensor is asked for as text")
        }
    }

    private mutating func labelByRemainingLife(
        _ lifePath: String?,
        _ path: String
    ) throws(TrainingError) {
        guard case .remainingLife(let hoursMax) = schema.label, let entities, let timestamps else {
            throw .unusable("schema \(schema.name): remaining life needs entity and timestamp")
        }
        var lastTime = Array(repeating: Int64.min, count: entities.categories.count)
        for (row, code) in entities.codes.enumerated() {
            lastTime[Int(code)] = max(lastTime[Int(code)], timestamps[row])
        }
        var lives = Array(repeating: 0.0, count: entities.categories.count)
        if let lifePath {
            lives = try Self.remainingLives(lifePath, machineCount: lastTime.count)
        }
        for (row, code) in entities.codes.enumerated() {
            let left = Double(lastTime[Int(code)] - timestamps[row])
            let hours = left / Double(Timestamp.microsecondsPerHour) + lives[Int(code)]
            labels[row] = hours <= hoursMax ? 1 : 0
        }
    }

    private static func remainingLives(
        _ path: String,
        machineCount: Int
    ) throws(TrainingError) -> [Double] {
        let form = TableFormat(separator: .blanks, names: [])
        let table = try readTable(path, form, [ColumnRequest(index: 0, .number)])
        let lives = table.columns[0].numbers ?? []
        guard lives.count == machineCount else {
            throw .unusable("\(path): \(lives.count) remaining lives for \(machineCount) machines")
        }
        if let row = lives.firstIndex(where: { !($0 >= 0) }) {
            let why = "expected a life of at least 0 hours"
            throw .table(path: path, table.refusal(row: row, request: 0, why))
        }
        return lives
    }
}

extension Table {
    /// A column of zeros and ones.
    func flags(_ request: Int) throws(TableError) -> [UInt8] {
        let numbers = columns[request].numbers ?? []
        var flags: [UInt8] = []
        flags.reserveCapacity(numbers.count)
        for (row, number) in numbers.enumerated() {
            guard number == 0 || number == 1 else {
                let found = number.isNaN ? "nothing" : "\(number)"
                throw refusal(row: row, request: request, "expected 0 or 1, found \(found)")
            }
            flags.append(UInt8(number))
        }
        return flags
    }
}

/// Which columns of a raw file are read as what, and where each is found among them.
private struct RawColumns {
    let format: TableFormat
    private(set) var requests: [ColumnRequest] = []
    private(set) var entity: Int?
    private(set) var time: Int?
    private(set) var sensors: [Int] = []
    private(set) var label: Int?
    private(set) var context: Int?

    init(schema: Schema, context contextColumn: String?) {
        let separator: TableSeparator =
            schema.file.separator == UInt8(ascii: " ") ? .blanks : .byte(schema.file.separator)
        format =
            schema.file.columns.map { TableFormat(separator: separator, names: $0) }
            ?? TableFormat(separator: separator)
        entity = schema.entityColumn.map { add($0, .category) }
        time = schema.time.map { add($0.column, .timestamp($0.form)) }
        sensors = schema.sensors.map { add($0.column, $0.kind == .category ? .category : .number) }
        if case .column(let name) = schema.label { label = add(name, .number) }
        context = contextColumn.map { add($0, .number) }
    }

    private mutating func add(_ name: String, _ type: ColumnType) -> Int {
        requests.append(ColumnRequest(name, type))
        return requests.count - 1
    }
}

extension Schema.TimeColumn {
    fileprivate var form: TimestampForm {
        switch unit {
        case .rfc3339: .text(naiveOffsetMinutes: offsetMinutes)
        case .seconds: .seconds
        case .hours, .cycles: .hours
        }
    }
}
