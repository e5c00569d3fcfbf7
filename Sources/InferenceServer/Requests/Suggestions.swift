// SPDX-License-Identifier: MIT

/// Finds the names that were probably meant in a request.
struct Suggestions {
    /// What comparisons may yet cost, in cells of Levenshtein's table; nothing is suggested after.
    ///
    /// A quarter of a million are some 0.5 ms: dozens of misspelt names with the schemas of the
    /// documentation, and two dozen with one of 256 sensors. A hostile client gets no more.
    private var cellsLeft = 1 << 18
    /// What a comparison costs apart from its cells, counted as so many.
    private static let cellsOfCandidate = 128

    /// The candidate closest to the name, at most two edits or a third of its length away; the
    /// first one where several are as close.
    ///
    /// Nil as well once this request has had as many comparisons as are made for one.
    mutating func nearest(to name: String, among candidates: [String]) -> String? {
        guard cellsLeft > 0, !candidates.isEmpty else { return nil }
        let given = Self.normalized(name)
        let limit = max(2, given.count / 3)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            cellsLeft -= Self.cellsOfCandidate
            guard cellsLeft > 0 else { break }
            let wanted = Self.normalized(candidate)
            // Each byte more is an edit.
            guard abs(given.count - wanted.count) <= limit else { continue }
            cellsLeft -= given.count * wanted.count
            let distance = Self.distance(given, wanted)
            // Nothing in common is no likeness, however short the names are.
            guard distance <= limit, distance < max(given.count, wanted.count) else { continue }
            if best.map({ distance < $0.distance }) ?? true { best = (candidate, distance) }
        }
        return best?.name
    }

    /// Lower-case letters without hyphens and underscores: `rotationSpeed` is `rotation_speed`.
    private static func normalized(_ name: String) -> [UInt8] {
        name.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
    }

    /// Levenshtein's distance in bytes.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, left) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, right) in b.enumerated() {
                let substituted = diagonal + (left == right ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j + 1] + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
