// SPDX-License-Identifier: MIT

/// A drawing in a page: axes, and what is drawn over them, in the units of the axes.
struct SVGDrawing {
    /// How many colours there are; further series begin again.
    static let colorCount = 4

    /// One axis.
    struct Axis {
        var range: ClosedRange<Double>
        var label = ""
        /// Where it is marked, and with what; nil for round numbers.
        var marks: [(value: Double, text: String)]?

        /// From 0 to 1, in per cent.
        static func share(_ label: String) -> Axis {
            let marks = stride(from: 0, through: 100, by: 25).map { (Double($0) / 100, "\($0) %") }
            return Axis(range: 0...1, label: label, marks: marks)
        }

        /// Marks at round numbers, at most seven.
        var ticks: [(value: Double, text: String)] {
            if let marks { return marks }
            let span = range.upperBound - range.lowerBound
            guard span > 0, span.isFinite else { return [] }
            var step = 1.0
            while step > span { step /= 10 }
            while step * 10 <= span { step *= 10 }
            for factor in [0.2, 0.5, 1, 2] where span / (step * factor) <= 6 {
                step *= factor
                break
            }
            let first = (range.lowerBound / step).rounded(.up)
            let last = (range.upperBound / step).rounded(.down)
            guard abs(first) < 1e15, abs(last) < 1e15, first <= last else { return [] }
            return (Int(first)...Int(last)).map { index in
                (Double(index) * step, NumberText.mark(Double(index) * step, step: step))
            }
        }
    }

    /// What stands above it.
    let title: String
    private let x: Axis
    private let y: Axis
    private let width: Double
    private let height: Double
    private let margins: (left: Double, right: Double, top: Double, bottom: Double)
    private var shapes = ""
    private var series: [(color: Int, name: String)] = []

    init(_ title: String, x: Axis, y: Axis, width: Double = 420, height: Double = 300) {
        self.title = title
        self.x = x
        self.y = y
        self.width = width
        self.height = height
        let longest = y.ticks.map(\.text.count).max() ?? 0
        let left = 12 + 7 * Double(min(longest, 16)) + (y.label.isEmpty ? 0 : 16)
        let below: Double = x.ticks.isEmpty ? 8 : 22
        margins = (left, 24, 10, below + (x.label.isEmpty ? 0 : 18))
    }

    // MARK: - Shapes

    /// Names a colour in the legend.
    mutating func name(_ color: Int, _ name: String) { series.append((color, name)) }

    mutating func curve(_ points: [(Double, Double)], color: Int, title: String = "") {
        let places = points.map { "\(px($0.0)),\(py($0.1))" }.joined(separator: " ")
        shapes += "<polyline class=\"curve \(Self.style(color))\" points=\"\(places)\">"
        shapes += "\(Self.hint(title))</polyline>"
    }

    /// What lies between two curves over the same places.
    mutating func band(_ points: [(x: Double, low: Double, high: Double)], color: Int) {
        let upper = points.map { "\(px($0.x)),\(py($0.high))" }
        let lower = points.reversed().map { "\(px($0.x)),\(py($0.low))" }
        let places = (upper + lower).joined(separator: " ")
        shapes += "<polygon class=\"area \(Self.style(color))\" points=\"\(places)\"/>"
    }

    mutating func dots(_ points: [(Double, Double)], color: Int) {
        for point in points {
            shapes += "<circle class=\"dot \(Self.style(color))\" cx=\"\(px(point.0))\""
            shapes += " cy=\"\(py(point.1))\" r=\"3.5\"/>"
        }
    }

    /// A rectangle between two corners.
    mutating func bar(
        _ x: ClosedRange<Double>,
        _ y: ClosedRange<Double>,
        color: Int,
        isPale: Bool = false,
        title: String = ""
    ) {
        let (left, right) = (px(x.lowerBound), px(x.upperBound))
        let (top, bottom) = (py(y.upperBound), py(y.lowerBound))
        shapes += "<rect class=\"bar \(Self.style(color))\(isPale ? " pale" : "")\" x=\"\(left)\""
        shapes += " y=\"\(top)\" width=\"\(Self.place(max(right - left, 0.5)))\""
        shapes += " height=\"\(Self.place(max(bottom - top, 0)))\">\(Self.hint(title))</rect>"
    }

    /// A dashed line.
    mutating func guide(_ from: (Double, Double), _ to: (Double, Double)) {
        shapes += "<path class=\"guide\" d=\"M\(px(from.0)) \(py(from.1))"
        shapes += "L\(px(to.0)) \(py(to.1))\"/>"
    }

    /// A text that begins, ends or has its middle at a place.
    mutating func text(
        _ text: String,
        at place: (Double, Double),
        anchor: String = "start",
        isOnBar: Bool = false
    ) {
        shapes += "<text\(isOnBar ? " class=\"on\"" : "") x=\"\(px(place.0))\""
        shapes += " y=\"\(Self.place(py(place.1) + 4))\""
        shapes += " text-anchor=\"\(anchor)\">\(HTMLPage.escaped(text))</text>"
    }

    // MARK: - Markup

    var legend: String {
        guard !series.isEmpty else { return "" }
        let names = series.map { color, name in
            "<span class=\"\(Self.style(color))\"><b>\(HTMLPage.escaped(name))</b></span>"
        }
        return "<div class=\"legend\">\(names.joined())</div>"
    }

    var markup: String {
        let (left, right) = (margins.left, width - margins.right)
        let (top, bottom) = (margins.top, height - margins.bottom)
        var text = "<svg viewBox=\"0 0 \(Int(width)) \(Int(height))\" role=\"img\""
        text += " aria-label=\"\(HTMLPage.escaped(title))\">"
        for tick in x.ticks {
            text += "<path class=\"axis\" d=\"M\(px(tick.value)) \(top)V\(bottom)\"/>"
            text += "<text x=\"\(px(tick.value))\" y=\"\(bottom + 16)\" text-anchor=\"middle\">"
            text += "\(HTMLPage.escaped(tick.text))</text>"
        }
        for tick in y.ticks {
            text += "<path class=\"axis\" d=\"M\(left) \(py(tick.value))H\(right)\"/>"
            text += "<text x=\"\(left - 6)\" y=\"\(Self.place(py(tick.value) + 4))\""
            text += " text-anchor=\"end\">\(HTMLPage.escaped(Self.shortened(tick.text)))</text>"
        }
        if !x.label.isEmpty {
            text += "<text class=\"under\" x=\"\((left + right) / 2)\" y=\"\(height - 5)\""
            text += " text-anchor=\"middle\">"
            text += "\(HTMLPage.escaped(x.label))</text>"
        }
        if !y.label.isEmpty {
            let middle = (top + bottom) / 2
            text += "<text transform=\"translate(12 \(middle)) rotate(-90)\""
            text += " text-anchor=\"middle\">\(HTMLPage.escaped(y.label))</text>"
        }
        return "\(text)\(shapes)</svg>"
    }

    private static func style(_ color: Int) -> String { "s\(color % colorCount)" }

    private static func hint(_ title: String) -> String {
        title.isEmpty ? "" : "<title>\(HTMLPage.escaped(title))</title>"
    }

    /// A mark's text where there is no room for more.
    private static func shortened(_ text: String) -> String {
        text.count <= 16 ? text : "\(text.prefix(15))…"
    }

    private func px(_ value: Double) -> Double {
        let share = Self.share(value, x.range)
        return Self.place(margins.left + share * (width - margins.left - margins.right))
    }

    private func py(_ value: Double) -> Double {
        let share = Self.share(value, y.range)
        return Self.place(height - margins.bottom - share * (height - margins.top - margins.bottom))
    }

    private static func share(_ value: Double, _ range: ClosedRange<Double>) -> Double {
        let span = range.upperBound - range.lowerBound
        guard span > 0, value.isFinite else { return 0 }
        return min(max((value - range.lowerBound) / span, 0), 1)
    }

    /// A coordinate with one decimal.
    private static func place(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
