// SPDX-License-Identifier: MIT

import Features
import Foundation
import Testing

/// Against pandas, numpy and scikit-learn; `Fixtures/make_golden.py` wrote the file.
struct GoldenFeatureTests {
    private struct Golden {
        var centers: [Double]
        var scales: [Double]
        var columns: [String]
        var rows: [[Substring]]

        init() throws {
            let url = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "Fixtures/features-golden.csv")
            let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
            func numbers(_ line: Substring) -> [Double] {
                line.split(separator: ",").dropFirst().compactMap { Double($0) }
            }
            centers = numbers(lines[0])
            scales = numbers(lines[1])
            columns = lines[2].split(separator: ",").map(String.init)
            rows = lines.dropFirst(3).map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
        }

        func number(_ row: [Substring], _ column: String) -> Double? {
            guard let index = columns.firstIndex(of: column) else { return nil }
            return row[index].isEmpty ? .nan : Double(row[index])
        }
    }

    /// What a feature may differ by.
    ///
    /// Steps of the sensors' ranges, range / (2^32 - 1): up to 1.2e-6 for the rotation speed.
    /// pandas' rolling sums and the file's 13 digits add less than 1e-9 of the value.
    private func tolerance(_ name: String, _ value: Double) -> Double {
        let range =
            Schema.standard.sensors.first { name.hasPrefix($0.name) }?.range ?? 0...0
        let isWindow =
            name.hasSuffix("h") && !name.hasSuffix("health") || name.hasSuffix("since_start")
        let step = isWindow ? (range.upperBound - range.lowerBound) / 4_294_967_295 : 0
        return step + 1e-9 * max(abs(value), 1)
    }

    @Test func equalsPandasNumpyAndRobustScaler() throws {
        let golden = try Golden()
        #expect(golden.rows.count == 96)
        let names = golden.columns.filter { $0.hasPrefix("scaled:") }.map {
            String($0.dropFirst(7))
        }
        let all = try makeTransform(.everything)
        var transform = all
        transform.features = try names.map { name in
            let index = try #require(all.featureNames.firstIndex(of: name), "\(name)")
            return all.features[index]
        }
        transform.scaling = zip(golden.centers, golden.scales).map { .init(center: $0, scale: $1) }
        // Every feature but the six raw ones.
        #expect(names.count == all.features.count - 6)
        let engine = try FeatureEngine(transform)
        var machines: [Substring: Machine] = [:]
        for row in golden.rows {
            let sensors = Schema.standard.sensors.map { golden.number(row, $0.name) ?? 0 }
            let seconds = try #require(golden.number(row, "seconds"))
            let timestamp = try #require(Timestamp.microseconds(ofSeconds: seconds))
            var machine = machines[row[1]] ?? Machine(engine)
            #expect(machine.take(timestamp, sensors) == .inOrder)
            for (index, name) in names.enumerated() {
                let expected = try #require(golden.number(row, name))
                let tolerance = tolerance(name, expected)
                #expect(
                    abs(machine.scratch.features[index] - expected) <= tolerance,
                    "\(name) at \(seconds)"
                )
                let scaled = try #require(golden.number(row, "scaled:" + name))
                // The row is rounded to Float, 2^-24 of the value.
                let distance = abs(Double(machine.scratch.row[index]) - scaled)
                let allowed = tolerance / golden.scales[index] + 1e-7 * max(abs(scaled), 1)
                #expect(distance <= allowed, "scaled \(name) at \(seconds)")
            }
            machines[row[1]] = machine
        }
    }
}
