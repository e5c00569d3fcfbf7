// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import ModelRuntime

extension EvaluationPage {
    /// Longer records are drawn by the largest probability of equal parts.
    private static let pointsMax = 1000

    func rocDrawing(_ bands: CurveBands) -> SVGDrawing {
        var drawing = SVGDrawing(
            "ROC curve",
            x: .share("false alarms among rows without failure"),
            y: .share("failures found")
        )
        drawing.guide((0, 0), (1, 1))
        drawing.band(bands.roc.map { ($0.place, $0.low, $0.high) }, color: 0)
        drawing.curve([(0, 0)] + bands.roc.map { ($0.place, $0.value) }, color: 0)
        let metrics = evaluation.metrics
        if let x = metrics.falsePositiveRate {
            drawing.dots([(x, metrics.classes[1].recall)], color: 1)
            drawing.name(0, "all thresholds")
            drawing.name(1, "the threshold")
        }
        return drawing
    }

    func precisionRecallDrawing(_ bands: CurveBands) -> SVGDrawing {
        var drawing = SVGDrawing(
            "Precision and recall",
            x: .share("failures found (recall)"),
            y: .share("calls that are right (precision)")
        )
        let metrics = evaluation.metrics
        let rate = Double(metrics.classes[1].support) / Double(metrics.count)
        drawing.guide((0, rate), (1, rate))
        drawing.band(bands.precisionRecall.map { ($0.place, $0.low, $0.high) }, color: 0)
        drawing.curve(bands.precisionRecall.map { ($0.place, $0.value) }, color: 0)
        drawing.dots([(metrics.classes[1].recall, metrics.classes[1].precision)], color: 1)
        drawing.name(0, "all thresholds")
        drawing.name(1, "the threshold")
        return drawing
    }

    /// The log-odds of a probability, within what is drawn.
    private static func place(_ probability: Double) -> Double {
        let clipped = min(max(probability, 0.0005), 0.9995)
        return PortableMath.log(clipped / (1 - clipped))
    }

    var scoreDrawing: SVGDrawing {
        let marks = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999].map { value in
            (Self.place(value), "\(NumberText.short(value * 100))")
        }
        let ends = Self.place(0)...Self.place(1)
        let parts = 32
        let width = (ends.upperBound - ends.lowerBound) / Double(parts)
        var counts = [Array(repeating: 0.0, count: parts), Array(repeating: 0.0, count: parts)]
        for (probability, label) in zip(probabilities, matrix.labels) {
            let part = Int((Self.place(probability) - ends.lowerBound) / width)
            counts[Int(label)][min(part, parts - 1)] += 1
        }
        let shares = counts.map { side in
            let total = max(side.reduce(0, +), 1)
            return side.map { $0 / total }
        }
        let top = shares.flatMap(\.self).max() ?? 0
        var drawing = SVGDrawing(
            "Probabilities",
            x: SVGDrawing.Axis(range: ends, label: "probability of a failure, %", marks: marks),
            y: SVGDrawing.Axis(range: 0...max(top, 0.01) * 1.05, label: "share of the class")
        )
        for (label, color) in [(0, 0), (1, 1)] {
            drawing.name(color, label == 0 ? "normal" : "before a failure")
            for part in 0..<parts where shares[label][part] > 0 {
                let low = ends.lowerBound + Double(part) * width
                let half = width * 0.46
                let left = low + (label == 0 ? width * 0.04 : width * 0.5)
                drawing.bar(left...left + half, 0...shares[label][part], color: color)
            }
        }
        let threshold = Self.place(evaluation.metrics.threshold)
        drawing.guide((threshold, 0), (threshold, top * 1.05))
        return drawing
    }

    var reliabilityDrawing: SVGDrawing {
        var drawing = SVGDrawing(
            "Reliability",
            x: .share("mean probability"),
            y: .share("share of failures")
        )
        drawing.guide((0, 0), (1, 1))
        let points = evaluation.reliability.bins.map { ($0.probability, $0.failureRate) }
        drawing.curve(points, color: 0)
        drawing.dots(points, color: 0)
        return drawing
    }

    /// How long before failures their alarms began.
    func leadDrawing(_ leadTime: LeadTime) -> SVGDrawing {
        let longest = max(leadTime.leadHours.last ?? 0, 1)
        let parts = 20
        let width = longest / Double(parts)
        var counts = Array(repeating: 0.0, count: parts)
        for hours in leadTime.leadHours {
            counts[min(max(Int(hours / width), 0), parts - 1)] += 1
        }
        let top = counts.max() ?? 1
        var drawing = SVGDrawing(
            "Time from alarm to failure",
            x: SVGDrawing.Axis(range: 0...longest, label: "hours"),
            y: SVGDrawing.Axis(range: 0...top * 1.05, label: "failures"),
            height: 220
        )
        for (part, count) in counts.enumerated() where count > 0 {
            let left = Double(part) * width
            drawing.bar(left + width * 0.06...left + width * 0.94, 0...count, color: 0)
        }
        return drawing
    }

    /// A bar per group; nil where nobody measured importance.
    var importanceDrawing: SVGDrawing? {
        guard case .array(let groups) = json["importance"]?["groups"], !groups.isEmpty else {
            return nil
        }
        let bars = groups.prefix(20).compactMap { group -> (String, Double)? in
            guard case .string(let name) = group["group"],
                case .number(let drop) = group["pr_auc_drop"]
            else { return nil }
            return (name, drop)
        }
        let count = Double(bars.count)
        let top = max(bars.map(\.1).max() ?? 0, 1e-6)
        let marks = bars.enumerated().map { (count - Double($0.offset) - 0.5, $0.element.0) }
        var drawing = SVGDrawing(
            "Importance",
            x: SVGDrawing.Axis(range: 0...top * 1.1, label: "PR-AUC lost"),
            y: SVGDrawing.Axis(range: 0...max(count, 1), marks: marks),
            height: 60 + 22 * count
        )
        for (index, bar) in bars.enumerated() {
            let bottom = count - Double(index) - 1
            drawing.bar(0...max(bar.1, 0), bottom + 0.18...bottom + 0.82, color: 0, title: bar.0)
        }
        return drawing
    }

    func drawing(of timeline: MachineTimeline, threshold: Double) -> SVGDrawing {
        let start = timeline.times.first ?? 0
        let hours = timeline.times.map { Double($0 - start) / 3_600_000_000 }
        let end = max(hours.last ?? 0, 1)
        var title = "\(timeline.name): \(NumberText.count(timeline.failures.count, "failure"))"
        if timeline.missed > 0 { title += ", \(timeline.missed) missed" }
        if timeline.falseAlarms > 0 {
            title += ", \(NumberText.count(timeline.falseAlarms, "false alarm"))"
        }
        let marks = [0, 0.5, 1].map { ($0, "\(Int($0 * 100)) %") }
        var drawing = SVGDrawing(
            title,
            x: SVGDrawing.Axis(range: 0...end, label: "hours since \(Timestamp.text(start))"),
            y: SVGDrawing.Axis(range: -0.34...1, marks: marks),
            width: 900,
            height: 200
        )
        drawing.name(0, "probability")
        drawing.name(1, "alarm")
        drawing.name(3, "before a failure")
        drawing.guide((0, threshold), (end, threshold))
        // As wide as half a row on either side, so that a single row is seen.
        let margin = end / 800
        let rows = [(timeline.alarms, 1, -0.16), (timeline.failures, 3, -0.32)]
        for (stretches, color, low) in rows {
            for stretch in stretches {
                let span = hours[stretch.first] - margin...hours[stretch.last] + margin
                drawing.bar(
                    span,
                    low...low + 0.12,
                    color: color,
                    isPale: color == 1 && !stretch.isMatched,
                    title: Timestamp.text(timeline.times[stretch.first])
                )
            }
        }
        for piece in Self.pieces(Self.thinned(hours, timeline.probabilities)) {
            drawing.curve(piece, color: 0)
        }
        return drawing
    }

    /// The points between gaps of more than ten usual steps, where the machine told nothing.
    private static func pieces(_ points: [(Double, Double)]) -> [[(Double, Double)]] {
        let steps = zip(points, points.dropFirst()).map { $1.0 - $0.0 }.sorted()
        guard !steps.isEmpty else { return [points] }
        let gap = 10 * steps[steps.count / 2]
        var pieces: [[(Double, Double)]] = []
        for point in points {
            if let last = pieces.last?.last, point.0 - last.0 <= gap {
                pieces[pieces.count - 1].append(point)
            } else {
                pieces.append([point])
            }
        }
        return pieces
    }

    /// At most ``pointsMax`` points: of equal parts the one of the largest probability.
    private static func thinned(
        _ hours: [Double],
        _ probabilities: [Double]
    ) -> [(Double, Double)] {
        let count = min(hours.count, pointsMax)
        return (0..<count).compactMap { part in
            let rows = part * hours.count / count..<(part + 1) * hours.count / count
            return rows.max { probabilities[$0] < probabilities[$1] }
                .map { (hours[$0], probabilities[$0]) }
        }
    }
}
