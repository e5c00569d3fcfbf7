// SPDX-License-Identifier: MIT

extension ModelComparison {
    /// One page with the table, a bar per score and model, and the reliability curves; it loads
    /// nothing from elsewhere.
    package var page: String {
        let titles = (["model"] + Self.scores.map(\.title)).map { "<th>\($0)</th>" }.joined()
        let rows = entries.enumerated().map { index, entry in
            let cells = Self.cells(entry).map { "<td>\($0)</td>" }.joined()
            return "<tr><th class=\"m\(index % Self.colorCount)\">\(Self.escaped(entry.name))</th>"
                + "\(cells)</tr>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Comparison of models</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>\(Self.style)</style></head><body>
            <h1>Comparison of models</h1>
            <p>\(entries.first?.metrics.count ?? 0) test rows, the same for all.</p>
            <div class="wide"><table><tr>\(titles)</tr>
            \(rows.joined(separator: "\n"))
            </table></div>
            <h2>Areas under the curves</h2>
            \(bars)
            <h2>Reliability</h2>
            <p>Share of failures over the mean probability, in \(Calibration.binCount) parts of
            equally many rows; on the diagonal a probability means what it says.</p>
            \(curves)
            </body></html>

            """
    }

    private static let colorCount = 4
    private static let style = """
        :root{color-scheme:light dark;--m0:#0b66c3;--m1:#c4500c;--m2:#1b7f3b;--m3:#8a3ab9}
        @media(prefers-color-scheme:dark){
        :root{--m0:#6db3ff;--m1:#ff9a57;--m2:#63d38a;--m3:#d59bff}}
        body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:auto;padding:1rem}
        .wide{overflow-x:auto}table{border-collapse:collapse}
        th,td{padding:.3rem .8rem;text-align:right;white-space:nowrap}
        th:first-child{text-align:left}svg{width:100%;max-width:40rem;height:auto}
        text{fill:currentColor;font:12px system-ui,sans-serif}
        .axis{stroke:currentColor;fill:none;opacity:.5}.curve{fill:none;stroke-width:2}
        .m0{color:var(--m0)}.m1{color:var(--m1)}.m2{color:var(--m2)}.m3{color:var(--m3)}
        rect,circle{fill:currentColor}.curve{stroke:currentColor}
        """

    /// A horizontal bar from 0 to 1 for each area and model.
    private var bars: String {
        var shapes = ""
        var y = 0
        for score in Self.scores.prefix(2) {
            shapes += "<text x=\"0\" y=\"\(y + 14)\">\(score.title)</text>"
            y += 20
            for (index, entry) in entries.enumerated() {
                let value = score.value(entry) ?? 0
                shapes += "<g class=\"m\(index % Self.colorCount)\">"
                shapes += "<rect x=\"0\" y=\"\(y)\" width=\"\(Self.place(value * 500))\""
                shapes += " height=\"16\"><title>\(Self.escaped(entry.name))</title></rect>"
                shapes += "<text x=\"\(Self.place(value * 500 + 6))\" y=\"\(y + 13)\">"
                shapes += "\(ClassificationMetrics.fixed(value))</text></g>"
                y += 20
            }
            y += 8
        }
        return "<svg viewBox=\"0 0 560 \(y)\" role=\"img\" aria-label=\"areas\">\(shapes)</svg>"
    }

    private var curves: String {
        var shapes = "<rect x=\"40\" y=\"10\" width=\"400\" height=\"400\" style=\"fill:none\""
        shapes += " class=\"axis\"/><path class=\"axis\" d=\"M40 410L440 10\"/>"
        for tick in stride(from: 0, through: 100, by: 25) {
            shapes += "<text x=\"\(40 + 4 * tick)\" y=\"426\" text-anchor=\"middle\">"
            shapes += "\(tick) %</text>"
            shapes += "<text x=\"36\" y=\"\(414 - 4 * tick)\" text-anchor=\"end\">"
            shapes += "\(tick) %</text>"
        }
        for (index, entry) in entries.enumerated() {
            let points = entry.calibration.bins.map { bin -> String in
                let x = Self.place(40 + 400 * bin.probability)
                return "\(x),\(Self.place(410 - 400 * bin.failureRate))"
            }
            shapes += "<polyline class=\"curve m\(index % Self.colorCount)\" points=\""
            shapes += "\(points.joined(separator: " "))\">"
            shapes += "<title>\(Self.escaped(entry.name))</title></polyline>"
        }
        let head = "<svg viewBox=\"0 0 470 435\" role=\"img\" aria-label=\"reliability\">"
        return "\(head)\(shapes)</svg>"
    }

    /// A coordinate with one decimal.
    private static func place(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
