// SPDX-License-Identifier: MIT

/// One HTML page that loads nothing from elsewhere: text, tables, tiles and drawings.
///
/// Whatever it is given is text, and is escaped here and nowhere else; a column or machine may have
/// any name.
struct HTMLPage {
    /// A number with its name, for the head of a page.
    struct Tile {
        var label: String
        var value: String
        var note = ""
        /// Whether it asks for attention.
        var isAlert = false
    }

    private let title: String
    private var body = ""

    init(title: String) {
        self.title = title
        body = "<h1>\(Self.escaped(title))</h1>\n"
    }

    /// The text with what HTML reads otherwise replaced.
    static func escaped(_ text: String) -> String {
        var result = ""
        // By scalars: a mark that combines with "<" would hide it from a comparison of characters.
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\0"..<" ", "\u{7F}"..<"\u{A0}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    mutating func heading(_ text: String) { body += "<h2>\(Self.escaped(text))</h2>\n" }

    mutating func paragraph(_ text: String) { body += "<p>\(Self.escaped(text))</p>\n" }

    /// A sentence that stands out: what the page says in short.
    mutating func verdict(_ text: String, isAlert: Bool) {
        body += "<p class=\"verdict\(isAlert ? " alert" : "")\">\(Self.escaped(text))</p>\n"
    }

    mutating func tiles(_ tiles: [Tile]) {
        body += "<dl class=\"tiles\">"
        for tile in tiles {
            body += "<div\(tile.isAlert ? " class=\"alert\"" : "")>"
            body += "<dt>\(Self.escaped(tile.label))</dt><dd>\(Self.escaped(tile.value))"
            if !tile.note.isEmpty { body += "<small>\(Self.escaped(tile.note))</small>" }
            body += "</dd></div>"
        }
        body += "</dl>\n"
    }

    /// A table whose first column names the rows; `colors` gives those names a series' colour.
    mutating func table(_ header: [String], _ rows: [[String]], colors: [Int]? = nil) {
        body += "<div class=\"wide\"><table><thead><tr>"
        for cell in header { body += "<th scope=\"col\">\(Self.escaped(cell))</th>" }
        body += "</tr></thead><tbody>\n"
        for (index, row) in rows.enumerated() {
            let color = colors.map { " class=\"s\($0[index] % SVGDrawing.colorCount)\"" } ?? ""
            body += "<tr><th scope=\"row\"\(color)>\(Self.escaped(row.first ?? ""))</th>"
            for cell in row.dropFirst() { body += "<td>\(Self.escaped(cell))</td>" }
            body += "</tr>\n"
        }
        body += "</tbody></table></div>\n"
    }

    /// Drawings side by side where there is room.
    mutating func figures(_ drawings: [SVGDrawing]) {
        body += "<div class=\"figures\">\n"
        for drawing in drawings {
            body += "<figure><figcaption>\(Self.escaped(drawing.title))</figcaption>"
            body += "\(drawing.legend)\(drawing.markup)</figure>\n"
        }
        body += "</div>\n"
    }

    /// A drawing as wide as the page; on a narrow one it is moved sideways.
    mutating func figure(_ drawing: SVGDrawing) {
        body += "<figure class=\"full\"><figcaption>\(Self.escaped(drawing.title))</figcaption>"
        body += "\(drawing.legend)<div class=\"wide\">\(drawing.markup)</div></figure>\n"
    }

    /// The page's bytes.
    var bytes: [UInt8] {
        let head = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Self.escaped(title))</title>
            <style>\(Self.style)</style></head><body>

            """
        return Array("\(head)\(body)</body></html>\n".utf8)
    }

    private static let lightColors = """
        --back:#fff;--card:#f4f6f8;--ink:#1b2330;--soft:#5b6675;--line:#ccd3db;--alert:#b3261e;
        --s0:#0b66c3;--s1:#c4500c;--s2:#1b7f3b;--s3:#8a3ab9
        """
    private static let style = """
        :root{color-scheme:light dark;\(lightColors)}
        @media(prefers-color-scheme:dark){:root{--back:#14181e;--card:#1e242c;--ink:#e8ecf1;
        --soft:#9aa6b4;--line:#3a444f;--alert:#ff8a80;--s0:#6db3ff;--s1:#ff9a57;--s2:#63d38a;
        --s3:#d59bff}}
        *{box-sizing:border-box}
        body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:auto;
        padding:1rem 1.25rem 3rem;background:var(--back);color:var(--ink);overflow-wrap:anywhere}
        h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0 1rem}
        h2{font-size:1.2rem;margin:2.2rem 0 .4rem}
        p{max-width:48rem;margin:.4rem 0}
        .verdict{font-size:1.1rem;padding:.7rem 1rem;border-left:.3rem solid var(--s2);
        background:var(--card)}.verdict.alert{border-color:var(--alert)}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem;
        margin:1rem 0}
        .tiles div{background:var(--card);border-radius:.4rem;padding:.6rem .8rem}
        .tiles .alert dd{color:var(--alert)}
        dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.45rem;font-weight:600;
        line-height:1.25}dd small{display:block;font-size:.8rem;font-weight:400;color:var(--soft)}
        .wide{overflow-x:auto;margin:.8rem 0}
        table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
        th,td{padding:.3rem .7rem;text-align:right;white-space:nowrap;
        border-bottom:1px solid var(--line)}
        th:first-child{text-align:left;padding-left:0;white-space:normal;min-width:8rem}
        thead th{color:var(--soft);font-weight:600}tbody th{font-weight:500}
        @media(max-width:30rem){table{font-size:.8rem}th,td{padding:.3rem .4rem}
        th:first-child{min-width:6rem}}
        .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));
        gap:1rem;margin:.8rem 0}
        figure{margin:0;background:var(--card);border-radius:.4rem;padding:.7rem;min-width:0}
        .figures figure{max-width:34rem}
        figure.full{margin:.8rem 0}.full .wide{margin:0}
        @media(max-width:40rem){.full .wide{overflow:visible;padding:0 0 .3rem 1.4rem}
        .full svg{overflow:visible}.full svg text{font-size:22px}
        .full svg .under{transform:translateY(9px)}.full .curve{stroke-width:4}}
        figcaption{font-weight:600;font-size:.95rem}
        .legend{display:flex;flex-wrap:wrap;gap:.1rem 1rem;font-size:.8rem;color:var(--soft)}
        .legend span::before{content:"";display:inline-block;width:.8em;height:.8em;
        border-radius:2px;background:currentColor;margin-right:.35em}
        .legend b{font-weight:400;color:var(--soft)}
        svg{display:block;width:100%;height:auto}
        svg text{fill:var(--soft);font:12px system-ui,sans-serif}
        svg .on{fill:var(--back);font-weight:600}
        .axis{stroke:var(--line);fill:none}.guide{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
        .s0{color:var(--s0)}.s1{color:var(--s1)}.s2{color:var(--s2)}.s3{color:var(--s3)}
        .curve{fill:none;stroke:currentColor;stroke-width:2;stroke-linejoin:round}
        .dot{fill:currentColor}.area{fill:currentColor;opacity:.18}.bar{fill:currentColor}
        .pale{opacity:.55}
        @page{margin:14mm}
        @media print{:root{color-scheme:light;\(lightColors)}body{padding:0;font-size:11pt}
        figure,.tiles,table{break-inside:avoid}h2,h2+p,h2+p+p{break-after:avoid}
        .wide{overflow:visible}
        *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
        """
}
