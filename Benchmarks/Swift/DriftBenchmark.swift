// SPDX-License-Identifier: MIT

import ArgumentParser
import Drift
import Platform

/// The tests of `pdm drift` on columns in memory.
struct DriftBenchmark: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drift",
        abstract: "Times the comparison of two tables, column by column."
    )

    @Argument(help: "Little-endian float64: the reference's columns, one after the other.")
    var reference: String

    @Argument(help: "The same of the current rows.")
    var current: String

    @Option(help: "How many columns both have.")
    var columns: Int

    @Option(help: "Seconds to measure for.")
    var seconds = 3.0

    func run() throws {
        let before = DriftSample(columns: try read(reference))
        let sorted = DriftSample(
            columns: before.columns.map { RadixSort.sorted($0) },
            isSorted: true
        )
        let now = DriftSample(columns: try read(current))
        let once = compare(before, now, onAllCores: false)
        let chances = once.features.map { "\($0.drift.tests?.pValue ?? -1)" }
        report("{\"p_values\":[\(chances.joined(separator: ","))]}")
        // A bundle's reference is stored sorted; one that is a table has to be sorted first.
        for (name, reference, onAllCores, isGoal) in [
            ("sorted reference, all cores", sorted, true, true),
            ("sorted reference, one core", sorted, false, true),
            ("table, all cores", before, true, true), ("table, one core", before, false, false),
        ] {
            let time = Stopwatch.shortest(seconds: seconds) {
                _ = compare(reference, now, onAllCores: onAllCores)
            }
            report("{\"name\":\"\(name)\",\"goal\":\(isGoal),\"seconds\":\(time)}")
        }
    }

    private func compare(
        _ reference: DriftSample,
        _ current: DriftSample,
        onAllCores: Bool
    ) -> DriftReport {
        let rule = DriftRule()
        @Sendable func column(_ index: Int) -> ColumnDrift {
            ColumnDrift(
                DriftColumn("c\(index)"),
                index: index,
                reference: reference,
                current: current,
                rule: rule
            )
        }
        let drifts =
            onAllCores
            ? concurrentMap(count: columns) { column($0) } : (0..<columns).map { column($0) }
        return DriftReport(drifts, rule: rule)
    }

    private func read(_ path: String) throws -> [[Double]] {
        let bytes = try FileAccess.read(path, byteCountMax: 1 << 30)
        guard bytes.count.isMultiple(of: 8 * columns) else {
            throw ValidationError("\(path): no \(columns) columns of equal length")
        }
        let rows = bytes.count / 8 / columns
        return (0..<columns).map { column in
            (0..<rows).map { row in
                var bits: UInt64 = 0
                for byte in (0..<8).reversed() {
                    bits = bits << 8 | UInt64(bytes[8 * (column * rows + row) + byte])
                }
                return Double(bitPattern: bits)
            }
        }
    }
}
