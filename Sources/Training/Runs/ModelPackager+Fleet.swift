// SPDX-License-Identifier: MIT

internal import Drift
internal import Features
internal import ModelRuntime

extension ModelPackager {
    /// Rows that are counted; more would tell nothing else.
    private static let fleetRowsMax = 65_536

    /// How the rows fall into bins by age and machine, in the columns of features and logit.
    static func fleet(
        _ train: FeatureMatrix,
        _ network: Network,
        _ transform: FeatureTransform
    ) -> FleetCounts {
        let width = train.names.count
        let step = (train.rowCount + fleetRowsMax - 1) / fleetRowsMax
        let used = Array(stride(from: 0, to: train.rowCount, by: step))
        let rows = step == 1 ? train : train.rows(used)
        let logits = logits(rows.values, network)
        var borders: [[Float]] = []
        for column in 0...width {
            let values = used.indices.map { row in
                Double(column < width ? rows.values[row * width + column] : logits[row])
            }
            borders.append(levels(RadixSort.sorted(values), parts: SketchShape.binCount))
        }
        let age = transform.ageFeature
        let ages = age.map { column in
            levels(
                RadixSort.sorted(used.indices.map { Double(rows.values[$0 * width + column]) }),
                parts: FleetReference.strataMax,
                from: 0
            )
        }
        // Equal borders would part nothing.
        let distinct = (ages ?? [0]).reduce(into: [Float]()) { if $0.last != $1 { $0.append($1) } }
        let shape = SketchShape(
            columnCount: width + 1,
            borders: borders.flatMap(\.self),
            ageColumn: age,
            ageBorders: Array(distinct.dropFirst())
        )
        let machineCount = rows.entities.map { Set($0.codes).count } ?? used.count
        var fleet = FleetReference(shape, machineCount: machineCount)
        for row in used.indices {
            let machine = rows.entities.map { Int($0.codes[row]) } ?? row
            fleet.add(
                rows.values.span,
                at: row * width,
                score: logits[row],
                // In turn, so that groups have equally many.
                machine: UInt64(machine % SketchShape.groupCount) << 60
            )
        }
        return FleetCounts(
            ages: distinct,
            machineCount: machineCount,
            borders: (1..<SketchShape.binCount).flatMap { border in borders.map { $0[border - 1] }
            },
            counts: fleet.tensor
        )
    }

    private static func logits(_ rows: [Float], _ network: Network) -> [Float] {
        var logits = Array(repeating: Float(0), count: rows.count / network.inputs)
        var target = logits.mutableSpan
        network.forward(rows: rows.span, into: &target, scratch: ForwardScratch(for: network))
        return logits
    }

    /// The values with which parts begin that hold equally many.
    private static func levels(_ sorted: [Double], parts: Int, from first: Int = 1) -> [Float] {
        (first..<parts).map { Float(sorted[$0 * sorted.count / parts]) }
    }
}
