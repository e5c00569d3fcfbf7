// SPDX-License-Identifier: MIT

import Testing

@testable import Training

struct HTMLPageTests {
    private static let hostile = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "a&b", "'x'",
        "<\u{301}b>", "nul\0\u{1B}[2J", "</title><b>",
    ]

    /// A page and a drawing that say a text wherever they can.
    private func page(_ text: String) -> String {
        var drawing = SVGDrawing(
            text,
            x: SVGDrawing.Axis(range: 0...1, label: text, marks: [(0.5, text)]),
            y: SVGDrawing.Axis(range: 0...1, label: text, marks: [(0.5, text)])
        )
        drawing.name(0, text)
        drawing.curve([(0, 0), (1, 1)], color: 0, title: text)
        drawing.bar(0...1, 0...1, color: 1, title: text)
        drawing.text(text, at: (0.5, 0.5))
        var page = HTMLPage(title: text)
        page.heading(text)
        page.paragraph(text)
        page.verdict(text, isAlert: true)
        page.tiles([HTMLPage.Tile(label: text, value: text, note: text)])
        page.table([text, text], [[text, text]], colors: [0])
        page.figures([drawing])
        page.figure(drawing)
        return String(decoding: page.bytes, as: UTF8.self)
    }

    @Test(arguments: hostile)
    func textStaysText(text: String) {
        let plain = page("x")
        let hostile = page(text)
        // Not one tag or attribute more than a harmless text makes.
        for mark in ["<", ">", "\"", "'"] as [Character] {
            #expect(
                hostile.unicodeScalars.count { Character($0) == mark }
                    == plain.unicodeScalars.count { Character($0) == mark }
            )
        }
        #expect(!hostile.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
    }

    @Test func pageLoadsNothing() {
        let page = page("x")
        for word in ["http", "src=", "url(", "@import", "<script", "<link"] {
            #expect(!page.contains(word), "\(word)")
        }
        #expect(page.contains("prefers-color-scheme:dark") && page.contains("@media print"))
    }

    @Test(arguments: [
        (9.9e14, "990\u{202F}000\u{202F}000\u{202F}000\u{202F}000"), (-1e300, "-1e+300"),
        (0, "0"), (1234.4, "1234"), (-1_234_567, "-1\u{202F}234\u{202F}567"), (123.45, "123.5"),
        (2.5, "2.5"), (0.01234, "0.0123"),
        (0.00001234, "1.2e-5"), (-3.14159, "-3.14"), (-0.00002, "-2.0e-5"),
    ])
    func shortNumbersHaveThreeDigits(value: Double, text: String) {
        #expect(NumberText.short(value) == text)
    }

    @Test(arguments: [
        (1.005, 1, "1.0"), (-0.04, 1, "0.0"), (-0.06, 1, "-0.1"), (12, 0, "12"), (0.5, 3, "0.500"),
        (9.9e14, 4, "990000000000000.0"), (1e300, 1, "1e+300"), (.nan, 4, "nan"),
    ])
    func fixedNumbersHaveTheirDecimals(value: Double, decimals: Int, text: String) {
        #expect(NumberText.fixed(value, decimals: decimals) == text)
    }

    @Test(arguments: [
        (0.0, 1.0), (0, 0.031), (2387.9, 2388.3), (-50, 1000), (0, 1e-7), (1e6, 1.00001e6),
    ])
    func axesAreMarkedAtFewRoundPlaces(low: Double, high: Double) {
        let ticks = SVGDrawing.Axis(range: low...high).ticks
        #expect((2...7).contains(ticks.count), "\(ticks)")
        #expect(ticks.allSatisfy { (low...high).contains($0.value) })
        #expect(Set(ticks.map(\.text)).count == ticks.count, "\(ticks)")
    }

    @Test func axisWithoutLengthHasNoMarks() {
        #expect(SVGDrawing.Axis(range: 1...1).ticks.isEmpty)
    }
}
