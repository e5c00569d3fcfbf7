// SPDX-License-Identifier: MIT

internal import Drift
internal import Features

/// How the files of a comparison are laid out, and the reading of one.
struct DriftForm {
    /// What one file holds.
    struct Side {
        var columns: [TableColumn]
        var machines: MachineRows?
        var machineNames: [String] = []
    }

    /// The columns that the schema names; none without one.
    private(set) var columns: [DriftColumn] = []
    private let format: TableFormat
    private let machineColumn: String?
    /// The file's name of each column whose sensor has another.
    private var fileNames: [String: String] = [:]

    init(schema: Schema?, machineColumn: String) {
        guard let schema else {
            format = .csv
            self.machineColumn = machineColumn
            return
        }
        format = TableFormat(schema)
        self.machineColumn = schema.entityColumn
        columns = schema.sensors.map { sensor in
            let isCategory = sensor.kind == .category
            var column = DriftColumn(
                sensor.name,
                kind: isCategory ? .category(sensor.categories) : .number
            )
            column.range = sensor.range
            column.stuckAfter = sensor.stuckAfter
            return column
        }
        for sensor in schema.sensors { fileNames[sensor.name] = sensor.column }
    }

    /// The names in a file's first line.
    func header(_ path: String) throws(TrainingError) -> [String] {
        try ReadingTable.readTable(path, format, []).names
    }

    /// Reads the reference; columns of which a field is no number become categories, unless a
    /// schema says what they are.
    func readReference(
        _ path: String,
        _ columns: inout [DriftColumn]
    ) throws(TrainingError) -> Side {
        while true {
            do throws(TrainingError) {
                return try read(path, columns)
            } catch {
                guard case .table(_, .invalid(let place, _, _)) = error, fileNames.isEmpty,
                    let index = columns.firstIndex(where: { $0.name == place.name }),
                    columns[index].kind == .number
                else { throw error }
                columns[index].kind = .category([])
            }
        }
    }

    /// Reads the columns as what they are.
    func read(_ path: String, _ columns: [DriftColumn]) throws(TrainingError) -> Side {
        let bytes: [UInt8]
        do throws(TableError) {
            bytes = try TableReader.load(path)
        } catch {
            throw .table(path: path, error)
        }
        let hasMachines = try hasMachines(path, bytes)
        var requests = columns.map { column in
            let name = fileNames[column.name] ?? column.name
            return ColumnRequest(name, column.kind == .number ? .number : .category)
        }
        if hasMachines, let machineColumn {
            requests.append(ColumnRequest(machineColumn, .category))
        }
        do throws(TableError) {
            let table = try TableReader.read(bytes, format: format, columns: requests)
            let machines = hasMachines ? table.columns.last?.categories : nil
            return Side(
                columns: Array(table.columns.prefix(columns.count)),
                machines: machines.map { MachineRows(codes: $0.codes) },
                machineNames: machines?.categories ?? []
            )
        } catch {
            throw .table(path: path, error)
        }
    }

    /// Whether the file names machines: a schema's column has to be there, another one may.
    private func hasMachines(_ path: String, _ bytes: [UInt8]) throws(TrainingError) -> Bool {
        guard let machineColumn else { return false }
        guard fileNames.isEmpty else { return true }
        do throws(TableError) {
            let table = try TableReader.read(bytes, format: format, columns: [])
            return table.names.contains(machineColumn)
        } catch {
            throw .table(path: path, error)
        }
    }
}

extension TableFormat {
    /// The form of a schema's files.
    init(_ schema: Schema) {
        let separator: TableSeparator =
            schema.file.separator == UInt8(ascii: " ") ? .blanks : .byte(schema.file.separator)
        if let names = schema.file.columns {
            self.init(separator: separator, names: names)
        } else {
            self.init(separator: separator)
        }
    }
}
