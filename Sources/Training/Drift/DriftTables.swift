// SPDX-License-Identifier: MIT

package import Drift
package import Features
internal import ModelRuntime
internal import Platform

/// Two sides made comparable: the same columns in the same order, categories by the same names.
package struct DriftTables: Sendable {
    /// Columns that say which row it is, not what was measured.
    private static let otherColumns: Set<String> = ["timestamp", "flags", "failure", "context"]
    /// A text column with more names holds identifiers or remarks.
    private static let categoriesMax = 256

    /// What was compared, in the order of the reference.
    package private(set) var columns: [DriftColumn] = []
    /// The reference.
    package private(set) var reference: DriftSample
    /// Now.
    package private(set) var current: DriftSample
    /// The names of the current machines in their order.
    package private(set) var machines: [String] = []
    /// Columns that were left out, each with the reason.
    package private(set) var omitted: [String] = []

    /// Compares the columns of two files.
    ///
    /// With a schema they hold raw readings in its form; without one they are CSV files with a
    /// header, as the steps write them, whose columns are numbers where all fields of the reference
    /// are. A transform says which sensors a feature is computed from.
    ///
    /// - Throws: ``TrainingError`` naming file, row and column.
    package init(
        referencePath: String,
        currentPath: String,
        schema: Schema?,
        transform: FeatureTransform?,
        machineColumn: String
    ) throws(TrainingError) {
        let form = DriftForm(schema: schema, machineColumn: machineColumn)
        var (omitted, known) = ([String](), form.columns)
        if schema == nil {
            let names = try form.header(referencePath).filter { name in
                name != machineColumn && !Self.otherColumns.contains(name)
            }
            guard !names.isEmpty else { throw .unusable("\(referencePath): no column to compare") }
            known = names.map { DriftColumn($0) }
        }
        if let transform { known = Self.bound(known, to: transform) }
        let before = try form.readReference(referencePath, &known)
        let now = try form.read(currentPath, known)
        (reference, current) = (DriftSample(columns: []), DriftSample(columns: []))
        var (values, currentValues) = ([[Double]](), [[Double]]())
        for (index, column) in known.enumerated() {
            let (column, a, b) = Self.matched(column, before.columns[index], now.columns[index])
            if case .category(let names) = column.kind, names.count > Self.categoriesMax {
                omitted.append("\(column.name): \(names.count) different texts are no categories")
                continue
            }
            columns.append(column)
            values.append(a)
            currentValues.append(b)
        }
        guard !columns.isEmpty else { throw .unusable("\(referencePath): no column to compare") }
        reference = DriftSample(columns: values, machines: before.machines)
        current = DriftSample(columns: currentValues, machines: now.machines)
        machines = now.machineNames
        self.omitted = omitted
    }

    /// Compares a feature file with what a bundle keeps of its training rows.
    ///
    /// - Throws: ``TrainingError`` naming file, row and column.
    package init(
        bundle path: String,
        currentPath: String,
        machineColumn: String
    ) throws(TrainingError) {
        let (transform, kept) = try Self.load(path)
        let form = DriftForm(schema: nil, machineColumn: machineColumn)
        let names = transform.featureNames
        let known = Self.bound(names.map { DriftColumn($0) }, to: transform)
        let now = try form.read(currentPath, known)
        var values: [[Double]] = []
        for column in known {
            let feature = names.firstIndex(of: column.name) ?? 0
            let rows = stride(from: feature, to: kept.sample.count, by: names.count)
            values.append(SortedSample(rows.map { Double(kept.sample[$0]) }).values)
        }
        // The bundle keeps Floats: the file's decimals have to meet them where they mean the same.
        let rounded = now.columns.map { ($0.numbers ?? []).map { Double(Float($0)) } }
        columns = known
        reference = DriftSample(columns: values, isSorted: true)
        current = DriftSample(columns: rounded, machines: now.machines)
        machines = now.machineNames
    }

    /// Compares the columns by a rule, on all usable cores.
    package func report(rule: DriftRule) -> DriftReport {
        let columns = concurrentMap(count: columns.count) { index in
            ColumnDrift(
                self.columns[index],
                index: index,
                reference: reference,
                current: current,
                rule: rule
            )
        }
        return DriftReport(columns, rule: rule)
    }

    private static func load(
        _ path: String
    ) throws(TrainingError) -> (FeatureTransform, ReferenceData) {
        let transform = try BundleReader.open(path: path).manifest.transform
        let file = "\(path)/\(BundleFile.reference)"
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileAccess.read(file)
        } catch {
            throw .file(error)
        }
        do throws(SafeTensorsError) {
            return (transform, try ReferenceData(bytes, featureCount: transform.features.count))
        } catch {
            throw .unusable("\(file): \(error)")
        }
    }

    /// The columns with the sensors that feed them.
    ///
    /// What says when a row is, and not what was measured, is left out: a window shorter than a
    /// week has other days than the training rows.
    private static func bound(
        _ columns: [DriftColumn],
        to transform: FeatureTransform
    ) -> [DriftColumn] {
        let schema = transform.schema
        let features = Dictionary(
            zip(transform.featureNames, transform.features),
            uniquingKeysWith: { first, _ in first }
        )
        return columns.compactMap { column in
            guard let feature = features[column.name] else { return column }
            if case .calendar = feature { return nil }
            var column = column
            let sensors = feature.sensors(in: schema)
            column.sensors = sensors.map { schema.sensors[$0].name }
            if case .raw(let sensor) = feature {
                column.stuckAfter = schema.sensors[sensor].stuckAfter
            }
            return column
        }
    }

    /// Both sides' values of one column; categories get the indices of the reference's names.
    private static func matched(
        _ column: DriftColumn,
        _ before: TableColumn,
        _ now: TableColumn
    ) -> (DriftColumn, [Double], [Double]) {
        if case .numbers(let a) = before, case .numbers(let b) = now { return (column, a, b) }
        guard case .categories(let a) = before, case .categories(let b) = now else {
            preconditionFailure("both sides were read as the same kind")
        }
        var names = a.categories.filter { !$0.isEmpty }
        if case .category(let known) = column.kind, !known.isEmpty { names = known }
        let places = Dictionary(
            names.enumerated().map { ($1, Double($0)) },
            uniquingKeysWith: { first, _ in first }
        )
        func values(_ side: CategoryColumn) -> [Double] {
            let indices = side.categories.map { name in
                name.isEmpty ? .nan : places[name] ?? Double(names.count)
            }
            return side.codes.map { indices[Int($0)] }
        }
        var column = column
        column.kind = .category(names)
        return (column, values(a), values(b))
    }
}
