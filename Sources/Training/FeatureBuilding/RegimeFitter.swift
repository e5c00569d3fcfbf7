// SPDX-License-Identifier: MIT

package import Features

/// Finds the operating regimes of training rows: k-means of the standardised settings.
///
/// It takes the fewest regimes that explain the share of the settings' variance that the rule asks
/// for, and one where as many as allowed do not: settings that vary evenly form no regimes.
package struct RegimeFitter {
    private static let restarts = 8
    private static let roundsMax = 100

    private let rule: FeatureSpec.RegimeRule
    private let gauges: [Int]

    /// Prepares for a rule and the gauges that are to be standardised, in the schema's order.
    package init(_ rule: FeatureSpec.RegimeRule, _ gauges: [Int]) {
        self.rule = rule
        self.gauges = gauges
    }

    /// The regimes of the rows that are not context.
    package func fit(_ table: ReadingTable) -> Regimes {
        let rows = table.ownRows
        var settings: [Regimes.Setting] = []
        for (sensor, column) in zip(table.schema.sensors.indices, table.values)
        where table.schema.sensors[sensor].kind == .setting {
            let spread = Spread(rows.map { column[$0] })
            settings.append(.init(sensor: sensor, center: spread.center, scale: spread.scale))
        }
        var points: [[Double]] = []
        for row in rows {
            let point = settings.map { (table.values[$0.sensor][row] - $0.center) / $0.scale }
            if !point.contains(where: { $0.isNaN }) { points.append(point) }
        }
        var regimes = Regimes(settings: settings, centers: [], gauges: [])
        regimes.centers = points.isEmpty ? [settings.map { _ in 0 }] : centers(points)
        return standardising(table, rows, regimes)
    }

    private func centers(_ points: [[Double]]) -> [[Double]] {
        let one = Self.clusters(points, count: 1)
        for count in 1...rule.countMax {
            let found = Self.clusters(points, count: count)
            guard found.distance <= (1 - rule.explained) * one.distance else { continue }
            // So that the numbers of regimes do not depend on chance.
            return found.centers.sorted { $0.lexicographicallyPrecedes($1) }
        }
        return one.centers
    }

    /// Every gauge's mean and deviation by regime; over all rows where a regime has none of it.
    private func standardising(
        _ table: ReadingTable,
        _ rows: [Int],
        _ regimes: Regimes
    ) -> Regimes {
        var regimes = regimes
        var members: [Int?] = []
        for row in rows {
            let values = table.values.map { $0[row] }
            members.append(regimes.regime(of: values.span))
        }
        for sensor in gauges {
            let column = rows.map { table.values[sensor][$0] }
            var gauge = Regimes.Gauge(sensor: sensor, centers: [], scales: [])
            for regime in regimes.centers.indices {
                var own: [Double] = []
                for (member, value) in zip(members, column) where member == regime {
                    if !value.isNaN { own.append(value) }
                }
                let spread = Spread(own.isEmpty ? column : own)
                gauge.centers.append(spread.center)
                gauge.scales.append(spread.scale)
            }
            regimes.gauges.append(gauge)
        }
        return regimes
    }

    /// The best of several k-means, each begun as k-means++ does, and the squared distances' sum.
    private static func clusters(
        _ points: [[Double]],
        count: Int
    ) -> (centers: [[Double]], distance: Double) {
        var best: (centers: [[Double]], distance: Double) = ([], .infinity)
        for restart in 0..<(count == 1 ? 1 : restarts) {
            var generator = SeededGenerator(seed: 42, stream: UInt64(restart))
            var centers = begin(points, count, &generator)
            var distance = Double.infinity
            for _ in 0..<roundsMax {
                let round = improve(points, &centers)
                guard round < distance else { break }
                distance = round
            }
            if distance < best.distance { best = (centers, distance) }
        }
        return best
    }

    /// Centers drawn one after the other, the likelier the further from those that are there.
    private static func begin(
        _ points: [[Double]],
        _ count: Int,
        _ generator: inout SeededGenerator
    ) -> [[Double]] {
        var centers = [points[generator.uniform(below: points.count)]]
        var distances = points.map { squaredDistance($0, centers[0]) }
        while centers.count < count {
            var left = generator.uniform() * distances.reduce(0, +)
            var chosen = 0
            for (index, distance) in distances.enumerated() where distance > 0 {
                chosen = index
                left -= distance
                if left < 0 { break }
            }
            centers.append(points[chosen])
            for index in points.indices {
                let distance = squaredDistance(points[index], points[chosen])
                distances[index] = min(distances[index], distance)
            }
        }
        return centers
    }

    /// Puts each center in the middle of the points that are nearest to it; the sum of the squared
    /// distances before that.
    private static func improve(_ points: [[Double]], _ centers: inout [[Double]]) -> Double {
        var sums = centers.map { $0.map { _ in 0.0 } }
        var counts = centers.map { _ in 0 }
        var total = 0.0
        for point in points {
            var nearest = (index: 0, distance: Double.infinity)
            for index in centers.indices {
                let distance = squaredDistance(point, centers[index])
                if distance < nearest.distance { nearest = (index, distance) }
            }
            total += nearest.distance
            counts[nearest.index] += 1
            for place in point.indices { sums[nearest.index][place] += point[place] }
        }
        for index in centers.indices where counts[index] > 0 {
            centers[index] = sums[index].map { $0 / Double(counts[index]) }
        }
        return total
    }

    private static func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
        var distance = 0.0
        for index in a.indices { distance += (a[index] - b[index]) * (a[index] - b[index]) }
        return distance
    }
}

/// Mean and standard deviation (with n) of the values that are there.
private struct Spread {
    private(set) var center = 0.0
    /// 1 where the values are all the same: what stands still must not become noise.
    private(set) var scale = 1.0

    init(_ values: [Double]) {
        let known = values.filter { !$0.isNaN }
        guard let lowest = known.min(), let highest = known.max() else { return }
        // Adding equal values up and dividing them again may not give them back.
        guard lowest < highest else {
            center = lowest
            return
        }
        let mean = known.reduce(0, +) / Double(known.count)
        let squares = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let deviation = (squares / Double(known.count)).squareRoot()
        center = mean
        if deviation > 0, deviation.isFinite { scale = deviation }
    }
}
