// SPDX-License-Identifier: MIT

extension ModelComparison {
    /// One page with the table, a bar per score and model, and the reliability curves; it loads
    /// nothing from elsewhere.
    package var page: [UInt8] {
        var page = HTMLPage(title: "Comparison of models")
        page.paragraph("\(entries.first?.metrics.count ?? 0) test rows, the same for all.")
        page.table(
            ["model"] + Self.scores.map(\.title),
            entries.map { [$0.name] + Self.cells($0) },
            colors: Array(entries.indices)
        )
        page.heading("Areas under the curves, time and reliability")
        page.paragraph(
            "Reliability: the share of failures over the mean probability, in"
                + " \(Calibration.binCount) parts of equally many rows; on the diagonal a"
                + " probability means what it says."
        )
        let longest = entries.compactMap(\.trainingSeconds).max() ?? 0
        page.figures(
            Self.scores.prefix(2).map { bars($0.title, upTo: 1, $0.value) }
                + [bars("Training, s", upTo: max(longest, 1e-3)) { $0.trainingSeconds }, curves]
        )
        return page.bytes
    }

    /// A horizontal bar from 0 on for each model.
    private func bars(
        _ title: String,
        upTo end: Double,
        _ value: (Entry) -> Double?
    ) -> SVGDrawing {
        let count = Double(entries.count)
        var drawing = SVGDrawing(
            title,
            x: SVGDrawing.Axis(range: 0...end),
            y: SVGDrawing.Axis(range: 0...count, marks: []),
            height: 50 + 30 * count
        )
        for (index, entry) in entries.enumerated() {
            drawing.name(index, entry.name)
            let bottom = count - Double(index) - 1
            guard let score = value(entry) else { continue }
            drawing.bar(0...score, bottom + 0.15...bottom + 0.85, color: index, title: entry.name)
            // Beside a bar that is too short to hold it.
            let isOnBar = score > 0.25 * end
            drawing.text(
                ClassificationMetrics.fixed(score),
                at: (0.02 * end + (isOnBar ? 0 : score), bottom + 0.5),
                isOnBar: isOnBar
            )
        }
        return drawing
    }

    private var curves: SVGDrawing {
        var drawing = SVGDrawing(
            "Reliability",
            x: .share("mean probability"),
            y: .share("share of failures"),
            height: 420
        )
        drawing.guide((0, 0), (1, 1))
        for (index, entry) in entries.enumerated() {
            drawing.name(index, entry.name)
            let points = entry.calibration.bins.map { ($0.probability, $0.failureRate) }
            drawing.curve(points, color: index, title: entry.name)
        }
        return drawing
    }
}
