// SPDX-License-Identifier: MIT

package import Features
package import JSON

extension AlarmRule {
    /// The rule of a model that was told none: two of the last three predictions at the threshold,
    /// until none of them is at least medium.
    package init?(
        threshold: Double,
        riskLevels: RiskLevels,
        clear: Double? = nil,
        needed: Int = 2,
        of length: Int = 3
    ) {
        self.init(
            raise: threshold,
            clear: clear ?? min(riskLevels.medium, threshold),
            needed: needed,
            of: length
        )
    }

    /// The JSON form, as in a manifest.
    package var json: JSONValue {
        [
            "raise": .number(raise), "clear": .number(clear), "needed": .integer(needed),
            "of": .integer(length),
        ]
    }

    /// Reads a manifest's `alarm`.
    ///
    /// - Throws: `JSONShapeError`.
    init(decoding json: JSONView) throws(JSONShapeError) {
        let rule = AlarmRule(
            raise: try json.required("raise").double,
            clear: try json.required("clear").double,
            needed: try json.required("needed").int,
            of: try json.required("of").int
        )
        guard let rule else {
            throw json.refuse(
                "0 < clear <= raise <= 1 and 1 <= needed <= of <= \(AlarmRule.lengthMax)"
            )
        }
        self = rule
    }
}
