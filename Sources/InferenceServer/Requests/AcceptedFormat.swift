// SPDX-License-Identifier: MIT

internal import HTTPServer
internal import Metrics

/// The choice of a metrics page's format (RFC 9110 §12.5.1).
extension ExpositionFormat {
    /// The format that a client likes most by its `Accept`; the text format where both are alike,
    /// and where it takes neither.
    ///
    /// Of a field that goes on and on the first ranges and parameters count: no client has more.
    init(accept: String?) {
        let elements = (accept ?? "*/*").split(separator: ",", maxSplits: rangeCountMax)
        let ranges = elements.prefix(rangeCountMax).map { MediaRange($0) }
        let text = MediaRange.weight(of: "text/plain", version: "0.0.4", in: ranges)
        let open = MediaRange.weight(
            of: "application/openmetrics-text",
            version: "1.0.0",
            in: ranges
        )
        self = open > text ? .openMetrics : .text
    }

    /// The media type of a page.
    var mediaType: ContentType {
        switch self {
        case .text: .prometheusText
        case .openMetrics: .openMetrics
        }
    }
}

private let rangeCountMax = 32
private let parameterCountMax = 8

/// One element of an `Accept` field.
private struct MediaRange {
    private let type: Substring
    private var version: Substring?
    /// From 0 to 1; 0 where it is malformed.
    private var weight = 1.0

    init(_ element: Substring) {
        let parts = element.split(
            separator: ";",
            maxSplits: parameterCountMax,
            omittingEmptySubsequences: false
        )
        type = Self.trimmed(parts[0])
        for part in parts.prefix(parameterCountMax).dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            let value = Self.trimmed(pair[1])
            switch Self.trimmed(pair[0]).lowercased() {
            case "version": version = value
            case "q": weight = Double(value).flatMap { (0...1).contains($0) ? $0 : nil } ?? 0
            default: break
            }
        }
    }

    /// How much a media type is wanted: what the range that fits it best says.
    static func weight(of type: String, version: String, in ranges: [MediaRange]) -> Double {
        var best = (fit: 0, weight: 0.0)
        for range in ranges {
            let fit = range.fit(type, version)
            if fit > best.fit || fit == best.fit && fit > 0 && range.weight > best.weight {
                best = (fit, range.weight)
            }
        }
        return best.weight
    }

    /// How exactly the range means the type: 0 where it does not.
    private func fit(_ type: String, _ version: String) -> Int {
        let name = self.type.lowercased()
        if name == type {
            if let own = self.version { return own == version ? 4 : 0 }
            return 3
        }
        if name.hasSuffix("/*"), name != "*/*" { return type.hasPrefix(name.dropLast()) ? 2 : 0 }
        return name == "*/*" ? 1 : 0
    }

    private static func trimmed(_ text: Substring) -> Substring {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}
