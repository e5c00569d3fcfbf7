// SPDX-License-Identifier: MIT

import Drift
import Features
import ModelRuntime

/// Made-up machines of the standard schema that send a reading an hour, wear, and differ a little.
enum TestFleet {
    /// Evenly spread numbers by a place, the same in every run.
    private static func number(_ place: Int) -> Double {
        var word = UInt64(bitPattern: Int64(place)) &* 0x9E37_79B9_7F4A_7C15
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((word ^ (word >> 31)) >> 11) * 0x1p-53
    }

    /// About normal, of deviation 1.
    private static func noise(_ place: Int) -> Double {
        var sum = -6.0
        for index in 0..<12 { sum += number(place * 12 + index) }
        return sum
    }

    /// The readings of a machine at an hour of its life.
    static func values(machine: Int, hour: Int) -> [Double] {
        let gauges = (0..<5).map { gauge in
            let own = noise(machine * 7 + gauge)
            let now = noise(1_000_000 + (machine * 1000 + hour) * 5 + gauge)
            return 40 + own * 0.5 + now + Double(hour) * 0.02
        }
        return gauges + [Double(hour)]
    }

    /// What a fleet of forty machines looks like in its first hundred hours.
    static func counts(_ transform: FeatureTransform, _ network: Network) throws -> FleetCounts {
        let (machines, hours) = (40, 100)
        let engine = try FeatureEngine(transform)
        var scratch = engine.makeScratch()
        var rows: [Float] = []
        for machine in 0..<machines {
            var record = [UInt64](repeating: 0, count: engine.records.wordCount)
            var words = record.mutableSpan
            engine.records.reset(&words, at: 0, id: [UInt8]().span)
            for hour in 0..<hours {
                scratch.values = values(machine: 1000 + machine, hour: hour)
                let timestamp = TestFleet.start + Int64(hour) * 3_600_000_000
                let time = ReadingTime(
                    timestamp: timestamp,
                    isTimestamped: true,
                    arrival: timestamp
                )
                _ = engine.observe(time, in: &words, at: 0, scratch: &scratch)
                engine.finishRow(&scratch)
                rows += scratch.row
            }
        }
        let width = transform.features.count
        let count = machines * hours
        var logits = [Float](repeating: 0, count: count)
        var target = logits.mutableSpan
        network.forward(rows: rows.span, into: &target, scratch: ForwardScratch(for: network))
        let borders = (0...width).map { column in
            let values = (0..<count).map { $0 * width + column }.map { place in
                column < width ? rows[place] : logits[(place - column) / width]
            }.sorted()
            return (1..<16).map { values[$0 * count / 16] }
        }
        let age = transform.ageFeature ?? 0
        let ages = (0..<4).map { rows[$0 * hours / 4 * width + age] }
        let shape = SketchShape(
            columnCount: width + 1,
            borders: borders.flatMap(\.self),
            ageColumn: age,
            ageBorders: Array(ages.dropFirst())
        )
        var fleet = FleetReference(shape, machineCount: machines)
        for row in 0..<count {
            let group = UInt64(row / hours % 16)
            fleet.add(rows.span, at: row * width, score: logits[row], machine: group << 60)
        }
        return FleetCounts(
            ages: ages,
            machineCount: machines,
            borders: (0..<15).flatMap { border in borders.map { $0[border] } },
            counts: fleet.tensor
        )
    }

    /// 2026-01-01.
    static let start: Int64 = 1_767_225_600_000_000

    /// A batch with the readings of machines in their first hours, changed by `change`.
    static func batch(
        machines: Range<Int>,
        hours: Range<Int>,
        change: (_ machine: Int, _ hour: Int, _ values: inout [Double]) -> Void = { _, _, _ in }
    ) -> String {
        let names = Schema.standard.sensors.map(\.name)
        var rows: [String] = []
        for hour in hours {
            for machine in machines {
                var values = values(machine: machine, hour: hour)
                change(machine, hour, &values)
                let fields = zip(names, values).map { "\"\($0)\":\($1.isNaN ? "null" : "\($1)")" }
                let timestamp = start / 1_000_000 + Int64(hour) * 3600
                rows.append(
                    "{\"equipment_id\":\"M\(machine)\",\"timestamp\":\(timestamp),"
                        + fields.joined(separator: ",") + "}"
                )
            }
        }
        return "[\(rows.joined(separator: ","))]"
    }
}
