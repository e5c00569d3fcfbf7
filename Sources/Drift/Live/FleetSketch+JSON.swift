// SPDX-License-Identifier: MIT

package import JSON

extension FleetSketch {
    private enum Key {
        static let counts = "counts"
        static let rows = "rows"
        static let machines = "machines"
    }

    /// What has been counted, for a file.
    package var json: JSONValue {
        [
            Key.rows: .array(rows.map { .integer(Int($0)) }),
            Key.counts: .array(counts.map { .integer(Int($0)) }),
            // In halves, the lower one first: a number of JSON holds 53 bits.
            Key.machines: .array(
                machines.flatMap { word -> [JSONValue] in
                    [.integer(Int(UInt32(truncatingIfNeeded: word))), .integer(Int(word >> 32))]
                }
            ),
        ]
    }

    /// Takes counts over as ``json`` gives them.
    ///
    /// - Throws: `JSONShapeError`, also where they are those of another shape.
    package init(_ shape: SketchShape, json: JSONView) throws(JSONShapeError) {
        self.init(shape)
        rows = try Self.words(json.required(Key.rows), count: rows.count)
        counts = try Self.words(json.required(Key.counts), count: counts.count)
        let halves = try Self.words(json.required(Key.machines), count: 2 * machines.count)
        for index in machines.indices {
            machines[index] = UInt64(halves[2 * index]) | UInt64(halves[2 * index + 1]) << 32
        }
    }

    private static func words(_ view: JSONView, count: Int) throws(JSONShapeError) -> [UInt32] {
        let numbers = try view.ints
        let words = numbers.compactMap { UInt32(exactly: $0) }
        guard numbers.count == count, words.count == count else {
            throw view.refuse("\(count) counts")
        }
        return words
    }
}
