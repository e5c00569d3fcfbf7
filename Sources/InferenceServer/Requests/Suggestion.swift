// SPDX-License-Identifier: MIT

/// Finds the name that was probably meant.
enum Suggestion {
    /// The candidate closest to the name, at most two edits or a third of its length away; the
    /// first one where several are as close.
    static func nearest(to name: String, among candidates: [String]) -> String? {
        let given = normalized(name)
        let limit = max(2, given.count / 3)
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let wanted = normalized(candidate)
            let distance = distance(given, wanted)
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
