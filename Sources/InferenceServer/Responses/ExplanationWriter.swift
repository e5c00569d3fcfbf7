// SPDX-License-Identifier: MIT

internal import JSON
internal import ModelRuntime

/// Writes an explanation behind the members of its prediction.
enum ExplanationWriter {
    /// Appends to a whole prediction, of which the closing brace moves to the end.
    ///
    /// Nil says that there was not enough time. One whose numbers are not finite is none either.
    static func append(
        _ explanation: Explanation?,
        _ explainer: Explainer,
        microseconds: Int,
        to prediction: inout [UInt8]
    ) {
        prediction.removeLast()
        prediction.append(contentsOf: ",\"contributions\":".utf8)
        guard let explanation else {
            prediction.append(contentsOf: none("not ready within --explain-timeout"))
            return
        }
        guard explanation.isFinite else {
            prediction.append(contentsOf: none("the log-odds are not finite"))
            return
        }
        func byGroup(_ values: [Double]) -> JSONValue {
            var object = JSONObject()
            for (group, value) in zip(explainer.groups, values) {
                object[group.name] = .number(value)
            }
            return .object(object)
        }
        prediction.append(contentsOf: byGroup(explanation.contributions).serialized())
        var object = JSONObject()
        object["method"] = .string(explanation.method.name)
        switch explanation.method {
        case .exact(let count): object["coalitions"] = .integer(count)
        case .permutations(let count): object["permutations"] = .integer(count)
        }
        object["log_odds"] = .number(explanation.logOdds)
        object["base_log_odds"] = .number(explanation.baseLogOdds)
        object["background_records"] = .integer(explainer.backgroundCount)
        object["standard_error"] = byGroup(explanation.standardErrors)
        object["milliseconds"] = .number(Double(microseconds) / 1000)
        prediction.append(contentsOf: ",\"explanation\":".utf8)
        prediction.append(contentsOf: JSONValue.object(object).serialized())
        prediction.append(UInt8(ascii: "}"))
    }

    /// The rest of a prediction without an explanation.
    private static func none(_ why: String) -> [UInt8] {
        Array("null,\"explanation\":{\"method\":null,\"error\":\"\(why)\"}}".utf8)
    }
}
