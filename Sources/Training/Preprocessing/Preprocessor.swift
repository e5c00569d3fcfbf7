// SPDX-License-Identifier: MIT

package import Features
package import JSON

/// Parts a data set, learns the cleaning parameters and writes what the next step reads.
package struct Preprocessor: Sendable {
    /// How the rows are parted.
    package var split: DataSplit
    /// Whether a missing value takes the machine's last measured one.
    package var forwardFill: Bool
    /// The z-score beyond which values are clipped; nil for no clipping.
    package var zThreshold: Double?
    /// The layout of the model that serves, which a later one keeps; nil for one of its own.
    package var layout: StateLayout?

    /// Describes a run.
    package init(
        split: DataSplit,
        forwardFill: Bool = true,
        zThreshold: Double? = 6,
        layout: StateLayout? = nil
    ) {
        self.split = split
        self.forwardFill = forwardFill
        self.zThreshold = zThreshold
        self.layout = layout
    }

    /// What a run found, as `report.json` says it.
    package struct Report: Sendable {
        /// The content of `report.json`.
        package var json: JSONValue
        /// Lines for the person who runs it.
        package var summary: [String]
        /// What they must know before they trust a score.
        package var warnings: [String]
    }

    /// Parts one table by ``split`` and writes train.csv, test.csv, preprocessing.json and
    /// report.json to a directory.
    ///
    /// - Throws: ``TrainingError``.
    package func run(_ table: ReadingTable, output: String) throws(TrainingError) -> Report {
        let isTest = try split.isTest(table)
        let isTrain = try split.isTrain(table, isTest: isTest)
        let parameters = try CleaningParameters(
            table: table,
            isTest: isTrain.map { !$0 },
            forwardFill: forwardFill,
            zThreshold: zThreshold,
            layout: layout
        )
        let train = side(of: table, isOwn: isTrain)
        let test = side(of: table, isOwn: isTest)
        return try write(train: train, test: test, parameters, split.json, output)
    }

    /// Takes two tables that are parted already, as a published test set is.
    ///
    /// - Throws: ``TrainingError``.
    package func run(
        train: ReadingTable,
        test: ReadingTable,
        output: String
    ) throws(TrainingError) -> Report {
        let parameters = try CleaningParameters(
            table: train,
            isTest: Array(repeating: false, count: train.rowCount),
            forwardFill: forwardFill,
            zThreshold: zThreshold,
            layout: layout
        )
        return try write(train: train, test: test, parameters, ["kind": "given"], output)
    }

    /// The own rows, and those of the other side that belong to the same machines as context.
    private func side(of table: ReadingTable, isOwn: [Bool]) -> ReadingTable {
        var rows = table.labels.indices.filter { isOwn[$0] }
        if let entities = table.entities {
            var machines: Set<Int32> = []
            for row in rows { machines.insert(entities.codes[row]) }
            rows = table.labels.indices.filter { machines.contains(entities.codes[$0]) }
        }
        return table.rows(rows, isContext: rows.map { !isOwn[$0] })
    }

    private func write(
        train: ReadingTable,
        test: ReadingTable,
        _ parameters: CleaningParameters,
        _ protocolName: JSONValue,
        _ output: String
    ) throws(TrainingError) -> Report {
        var sides: [(name: String, report: SideReport)] = []
        for (name, table) in [("train", train), ("test", test)] {
            var measured = table
            let isOutside = measured.blank(outside: parameters)
            sides.append((name, SideReport(measured, isOutside, parameters)))
            try measured.writePrepared("\(output)/\(name).csv", isOutside: isOutside)
        }
        try JSONFile.write(parameters.json, to: "\(output)/preprocessing.json")
        var report = JSONObject()
        report["format"] = 1
        report["split"] = protocolName
        report["z_threshold"] = zThreshold.map { .number($0) }
        var summary: [String] = []
        for (name, side) in sides {
            report[name] = side.json(parameters.schema)
            summary.append("\(name): \(side.summary)")
        }
        let warnings = warnings(train: train, test: test)
        report["warnings"] = .array(warnings.map { .string($0) })
        try JSONFile.write(.object(report), to: "\(output)/report.json")
        return Report(json: .object(report), summary: summary, warnings: warnings)
    }

    private func warnings(train: ReadingTable, test: ReadingTable) -> [String] {
        var warnings: [String] = []
        if train.isContext.contains(true), case .stratified = split {
            warnings.append(
                "leakage: the split is by row, so rows of one machine close in time are on both"
                    + " sides; scores on the test part promise more than new machines will give"
            )
        }
        for (name, table) in [("train", train), ("test", test)] {
            let labels = table.ownRows.map { table.labels[$0] }
            if !labels.contains(1) { warnings.append("\(name) has no failures") }
            if !labels.contains(0) { warnings.append("\(name) has nothing but failures") }
            let late = table.lateRows.count
            if late > 0 {
                warnings.append(
                    "\(name): \(late) rows come no later than an earlier one of their machine:"
                        + " they are taken as late or repeated readings"
                )
            }
        }
        return warnings
    }
}

extension DataSplit {
    /// The protocol as the report names it.
    package var json: JSONValue {
        switch self {
        case .group(let size, let seed):
            ["kind": "group", "test_size": .number(size), "seed": .number(Double(seed))]
        case .stratified(let size, let seed):
            ["kind": "stratified", "test_size": .number(size), "seed": .number(Double(seed))]
        case .time(let size): ["kind": "time", "test_size": .number(size)]
        case .fold(let index, let count):
            ["kind": "fold", "fold": .integer(index), "folds": .integer(count)]
        }
    }
}
