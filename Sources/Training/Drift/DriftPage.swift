// SPDX-License-Identifier: MIT

package import Drift

/// The page of a drift report: the verdict, the features that differ most, and all of them.
package struct DriftPage {
    /// So many distributions are drawn.
    private static let plotsMax = 12

    /// The page.
    package let bytes: [UInt8]

    /// Writes the page of a report; `machines` names the current machines.
    package init(_ report: DriftReport, machines: [String]) {
        var page = HTMLPage(title: "Drift report")
        page.verdict(report.verdict, isAlert: report.isDrift || !report.faults.isEmpty)
        page.tiles(Self.tiles(report, machineCount: machines.count))
        if !report.faults.isEmpty {
            page.heading("Sensors that look broken")
            page.paragraph("Features that such a sensor feeds say nothing of drift.")
            page.table(
                ["sensor", "what", "rows"],
                report.faults.map { column, fault in
                    [
                        column.name, report.text(fault, of: column, machines: machines),
                        "\(fault.rows)",
                    ]
                }
            )
        }
        page.heading("The features that differ most")
        page.figures(
            report.ranked.prefix(Self.plotsMax).compactMap { Self.drawing($0.drift) }
        )
        page.heading("All features")
        page.paragraph(Self.explanation(report))
        Self.table(report, in: &page)
        bytes = page.bytes
    }

    private static func tiles(_ report: DriftReport, machineCount: Int) -> [HTMLPage.Tile] {
        let current = report.features.map(\.drift.current.rows).max() ?? 0
        let reference = report.features.map(\.drift.reference.rows).max() ?? 0
        let counted = report.features.count { !$0.isExcluded }
        return [
            HTMLPage.Tile(
                label: "Features that drift",
                value: NumberText.percent(report.share),
                note: "of \(counted); the limit is "
                    + NumberText.percent(report.rule.featureShare, decimals: 0),
                isAlert: report.isDrift
            ),
            HTMLPage.Tile(
                label: "By the plain rule",
                value: NumberText.percent(report.plainShare),
                note: "p < \(report.rule.significance), rows taken for independent"
            ),
            HTMLPage.Tile(
                label: "Broken sensors",
                value: "\(Set(report.faults.flatMap { $0.column.sensors }).count)",
                isAlert: !report.faults.isEmpty
            ),
            HTMLPage.Tile(
                label: "Rows",
                value: "\(current)",
                note: "against \(reference) of the reference"
                    + (machineCount > 0 ? ", \(machineCount) machines" : "")
            ),
        ]
    }

    private static func explanation(_ report: DriftReport) -> String {
        "Distance: the largest difference of the two distributions (Kolmogorov-Smirnov), 0 to 1."
            + " PSI: population stability index; above 0.25 much has changed. Shift: Wasserstein"
            + " distance, in the column's unit. p: that of the test with all rows; p effective:"
            + " with the number of independent rows that they are worth; p own: of a shift of the"
            + " machines' means that their other features do not explain."
            + (report.comparesMachines ? "" : " Machines were not compared: too few, or none.")
    }

    private static func table(_ report: DriftReport, in page: inout HTMLPage) {
        let rows = report.ranked.map { feature -> [String] in
            let drift = feature.drift
            let state = feature.drifts ? "drifts" : feature.isExcluded ? "left out" : ""
            let missing = Double(drift.current.missing) / Double(max(drift.current.rows, 1))
            guard let tests = drift.tests else {
                return [drift.column.name, state] + Array(repeating: "-", count: 7)
                    + [NumberText.percent(missing)]
            }
            return [
                drift.column.name, state, NumberText.fixed(tests.distance, decimals: 3),
                NumberText.fixed(tests.stabilityIndex, decimals: 3),
                tests.wasserstein.map(NumberText.short) ?? "-",
                NumberText.short(tests.pValue), NumberText.short(tests.effectivePValue),
                tests.ownPValue.map(NumberText.short) ?? "-",
                NumberText.fixed(drift.current.effective, decimals: 0),
                NumberText.percent(missing),
            ]
        }
        page.table(
            [
                "feature", "", "distance", "PSI", "shift", "p", "p effective", "p own",
                "effective rows", "missing",
            ],
            rows
        )
    }

    /// Both distributions over the same parts; nil where there is one value only.
    private static func drawing(_ drift: ColumnDrift) -> SVGDrawing? {
        let histogram = drift.histogram
        let totals = (
            Double(max(1, histogram.reference.reduce(0, +))),
            Double(max(1, histogram.current.reduce(0, +)))
        )
        let shares = zip(histogram.reference, histogram.current).map {
            (Double($0) / totals.0, Double($1) / totals.1)
        }
        guard let top = shares.map({ max($0.0, $0.1) }).max(), top > 0 else { return nil }
        let y = SVGDrawing.Axis(range: 0...top * 1.05, label: "share of the rows")
        let distance = NumberText.fixed(drift.tests?.distance ?? 0, decimals: 3)
        let title = "\(drift.column.name) · distance \(distance)"
        var drawing: SVGDrawing
        if case .category(let names) = drift.column.kind {
            let marks = (names + ["other"]).enumerated().map { (Double($0) + 0.5, $1) }
            let x = SVGDrawing.Axis(range: 0...Double(shares.count), marks: marks)
            drawing = SVGDrawing(title, x: x, y: y)
        } else {
            guard let low = histogram.borders.first, let high = histogram.borders.last else {
                return nil
            }
            drawing = SVGDrawing(title, x: SVGDrawing.Axis(range: low...high), y: y)
        }
        drawing.name(0, "reference")
        drawing.name(1, "now")
        for (index, share) in shares.enumerated() {
            let borders = histogram.borders
            let (low, high) =
                borders.isEmpty
                ? (Double(index), Double(index + 1)) : (borders[index], borders[index + 1])
            let gap = (high - low) * 0.08
            let middle = (low + high) / 2
            drawing.bar(low + gap...middle, 0...share.0, color: 0)
            drawing.bar(middle...high - gap, 0...share.1, color: 1)
        }
        return drawing
    }
}
