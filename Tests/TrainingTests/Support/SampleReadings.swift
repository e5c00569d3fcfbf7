// SPDX-License-Identifier: MIT

import Features
import Training

/// Small data sets whose content the tests know.
enum SampleReadings {
    static let hour = Timestamp.microsecondsPerHour

    /// Two gauges, one of them without a physical range, and a counter.
    static let schema = Schema(
        name: "sample",
        entityColumn: "machine",
        time: Schema.TimeColumn(column: "hour", unit: .hours),
        sensors: [
            Sensor(name: "heat", range: -100...1000, warn: 60, alarm: 90),
            Sensor(name: "load"),
            Sensor(name: "age", kind: .counter),
        ],
        label: .column("failure"),
        horizonHours: 24
    )

    static let spec = FeatureSpec(
        name: "sample",
        elements: [
            .raw(.all),
            .window([.mean, .standardDeviation, .maximum], hours: [6, 24], .gauges),
            .ratio("heat", "load"),
            .rate(.gauges),
            .deviation(hours: 24, .gauges),
            .health,
        ],
        scaledClip: 10
    )

    /// Readings an hour apart, machine after machine; each machine fails in its last fifth.
    static func table(
        machines: Int,
        hours: Int,
        seed: UInt64 = 1,
        schema: Schema = schema
    ) -> ReadingTable {
        var generator = SeededGenerator(seed: seed)
        var codes: [Int32] = []
        var timestamps: [Int64] = []
        var values: [[Double]] = [[], [], []]
        var labels: [UInt8] = []
        for machine in 0..<machines {
            for step in 0..<hours {
                let isFailing = step * 5 >= hours * 4
                codes.append(Int32(machine))
                timestamps.append(Int64(480_000 + step) * hour)
                values[0].append(50 + generator.normal() * 10 + (isFailing ? 30 : 0))
                values[1].append(10 + generator.normal())
                values[2].append(Double(machine * 10 + step))
                labels.append(isFailing ? 1 : 0)
            }
        }
        return ReadingTable(
            schema: schema,
            entities: CategoryColumn(
                categories: (0..<machines).map { "M\($0)" },
                codes: codes
            ),
            timestamps: timestamps,
            values: values,
            labels: labels
        )
    }

    /// The parameters that all rows give.
    static func parameters(
        _ table: ReadingTable,
        zThreshold: Double? = 6
    ) throws(TrainingError) -> CleaningParameters {
        try CleaningParameters(
            table: table,
            isTest: table.isContext,
            forwardFill: true,
            zThreshold: zThreshold
        )
    }

    /// The transform that all rows give.
    static func transform(_ table: ReadingTable) throws(TrainingError) -> FeatureTransform {
        try TransformFitter.fit(
            spec,
            specPath: "sample",
            parameters: try parameters(table),
            table: table
        )
    }
}
