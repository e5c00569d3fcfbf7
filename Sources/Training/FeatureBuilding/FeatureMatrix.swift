// SPDX-License-Identifier: MIT

package import Features
internal import Platform

/// Scaled feature rows with their answers, as training and scoring take them.
///
/// Its file: `timestamp` and `equipment_id` where rows have them, one column per feature in the
/// shortest form that reads back as the same Float, `failure`. Beside it, `<file>.transform` holds
/// the digest of the transform that made it, so that it is not read with another one.
package struct FeatureMatrix: Sendable {
    /// The largest magnitude that is read.
    ///
    /// Sums of larger ones may leave Float's range within a few layers, and a network's answer
    /// would be no number.
    package static let magnitudeMax = 1e15

    /// The features' names in order.
    package var names: [String]
    /// x[rows][features].
    package var values: [Float]
    /// 0 or 1 per row.
    package var labels: [UInt8]
    /// The machine of each row; nil where rows belong to none.
    package var entities: CategoryColumn?
    /// The moment of each row, microseconds since the epoch; nil where rows have no time.
    package var timestamps: [Int64]?
    /// The digest of the transform that made the rows.
    private let transformDigest: String
    /// Where the longest window's fill stands, where that is a feature.
    private let fillColumn: FillColumn?

    /// The number of rows.
    package var rowCount: Int { labels.count }

    /// How full each row's longest window is, 0 to 1; nil where no feature says so.
    package var windowFill: [Double]? {
        fillColumn.map { column in
            labels.indices.map { column.fill(values[$0 * names.count + column.index]) }
        }
    }

    /// Computes the scaled rows of a table, context rows left out.
    ///
    /// `coldStart` says which rows have their history cut short.
    package init(_ table: ReadingTable, engine: FeatureEngine, coldStart: ColdStart? = nil) {
        names = engine.transform.featureNames
        transformDigest = FittedFeatures.digest(of: engine.transform)
        fillColumn = FillColumn(engine.transform)
        let replay = FeatureReplay(engine: engine, table: table, coldStart: coldStart)
        values = replay.scaledRows()
        let own = table.ownRows
        labels = own.map { table.labels[$0] }
        entities = table.entities.map { column in
            CategoryColumn(categories: column.categories, codes: own.map { column.codes[$0] })
        }
        timestamps = table.timestamps.map { column in own.map { column[$0] } }
    }

    /// Some of the rows, in the order given.
    package func rows(_ indices: [Int]) -> FeatureMatrix {
        var part = self
        let width = names.count
        part.values = []
        part.values.reserveCapacity(indices.count * width)
        for row in indices { part.values += values[row * width..<(row + 1) * width] }
        part.labels = indices.map { labels[$0] }
        part.entities = entities.map { column in
            CategoryColumn(categories: column.categories, codes: indices.map { column.codes[$0] })
        }
        part.timestamps = timestamps.map { column in indices.map { column[$0] } }
        return part
    }

    /// Writes the rows as a feature file.
    ///
    /// - Throws: ``TrainingError`` where the file cannot be written.
    package func write(_ path: String) throws(TrainingError) {
        do throws(FileError) {
            try FileAccess.makeDirectory(FileAccess.parent(of: path))
            var header = timestamps == nil ? [] : ["timestamp"]
            if entities != nil { header.append("equipment_id") }
            var writer = try TableWriter(path, header: header + names + ["failure"])
            for row in 0..<rowCount {
                if let timestamps { writer.append(timestamp: timestamps[row]) }
                if let entities { writer.append(entities.categories[Int(entities.codes[row])]) }
                for index in 0..<names.count { writer.append(values[row * names.count + index]) }
                writer.append(Int(labels[row]))
                try writer.endRow()
            }
            try writer.finish()
            try FileAccess.replace(
                Self.digestPath(path),
                with: Array("\(transformDigest)\n".utf8)
            )
        } catch {
            throw .file(error)
        }
    }

    /// Reads the feature file of a transform.
    ///
    /// - Throws: ``TrainingError`` naming file, row and column.
    package init(path: String, transform: FeatureTransform) throws(TrainingError) {
        names = transform.featureNames
        transformDigest = FittedFeatures.digest(of: transform)
        fillColumn = FillColumn(transform)
        let schema = transform.schema
        var requests = names.map { ColumnRequest($0, .number) }
        requests.append(ColumnRequest("failure", .number))
        if schema.entityColumn != nil { requests.append(ColumnRequest("equipment_id", .category)) }
        if schema.time != nil {
            requests.append(ColumnRequest("timestamp", .timestamp(.text(naiveOffsetMinutes: 0))))
        }
        let table = try ReadingTable.readTable(path, .csv, requests)
        // One more column than was asked for: the file is of another fit.
        guard table.names.count == requests.count else {
            let known = Set(names + ["failure", "equipment_id", "timestamp"])
            let column = table.names.firstIndex { !known.contains($0) } ?? 0
            let place = TablePlace(line: 1, column: column + 1, name: table.names[column])
            throw .table(path: path, .refused(place, why: "none of the fitted features"))
        }
        try Self.checkDigest(transformDigest, path)
        let columns = table.columns[..<names.count].map { $0.numbers ?? [] }
        for (index, column) in columns.enumerated() {
            // Written so that NaN, which is what an empty field is, fails too.
            guard let row = column.firstIndex(where: { !(abs($0) <= Self.magnitudeMax) }) else {
                continue
            }
            let why = "expected a number of at most 1e15 in magnitude, found"
            let found = column[row].isNaN ? "nothing" : "\(column[row])"
            throw .table(
                path: path,
                table.refusal(row: row, request: index, "\(why) \(found)")
            )
        }
        values = Array(repeating: 0, count: table.rowCount * names.count)
        for (index, column) in columns.enumerated() {
            for row in 0..<table.rowCount { values[row * names.count + index] = Float(column[row]) }
        }
        do throws(TableError) {
            labels = try table.flags(names.count)
        } catch {
            throw .table(path: path, error)
        }
        entities = table.columns.lazy.compactMap(\.categories).first
        timestamps = table.columns.lazy.compactMap(\.timestamps).first
    }

    private static func digestPath(_ path: String) -> String { "\(path).transform" }

    /// A feature file without a digest was made by others, who answer for it.
    private static func checkDigest(_ digest: String, _ path: String) throws(TrainingError) {
        do throws(FileError) {
            guard try FileAccess.status(of: digestPath(path)) != nil else { return }
            let found = try FileAccess.read(digestPath(path), byteCountMax: 1024)
            if found == Array("\(digest)\n".utf8) { return }
        } catch {
            throw .file(error)
        }
        throw .unusable("\(path): made by another fit than the one it is read with: run features")
    }
}
