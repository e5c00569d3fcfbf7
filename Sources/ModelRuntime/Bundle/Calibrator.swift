// SPDX-License-Identifier: MIT

package import JSON

/// What turns a network's logit into the probability that is served.
///
/// Plain arithmetic on Doubles: the same bits offline and online and on every CPU. A higher logit
/// never gets a lower probability.
package enum Calibrator: Equatable, Sendable {
    /// The sigmoid of the logit.
    case identity
    /// The sigmoid of `slope` x logit + `offset`; the slope is positive.
    case platt(slope: Double, offset: Double)
    /// Linear between points of ascending logits and never falling probabilities, level beyond.
    case isotonic(logits: [Double], probabilities: [Double])

    /// The most points of an isotonic calibration: fits of a million rows have some hundred.
    package static let pointsMax = 4096
    /// The most that slope and offset of Platt's scaling may be, in magnitude.
    package static let plattMax = 1e30
    /// The share of an isotonic probability that the logit itself decides.
    ///
    /// It keeps rows apart that the levels make equal, so that no ranking is lost, and moves no
    /// probability by more than a millionth.
    private static let tieShare = 0x1p-20

    /// The probability of a logit.
    package func probability(ofLogit logit: Float) -> Double {
        let x = Double(logit)
        switch self {
        case .identity: return PortableMath.sigmoid(x)
        case .platt(let slope, let offset): return PortableMath.sigmoid(slope * x + offset)
        case .isotonic(let logits, let probabilities):
            let level = Self.interpolate(x, logits, probabilities)
            // Unlike a sigmoid's, this slope does not vanish among large logits.
            let rank = 0.5 + 0.5 * (x / (1 + x.magnitude))
            return (1 - Self.tieShare) * level + Self.tieShare * rank
        }
    }

    /// The log-odds of the probability of a logit.
    package func logOdds(ofLogit logit: Float) -> Double {
        switch self {
        case .identity: return Double(logit)
        case .platt(let slope, let offset): return slope * Double(logit) + offset
        case .isotonic:
            let probability = probability(ofLogit: logit)
            // Never 0 or 1: each logit has a share in it.
            return PortableMath.log(probability) - PortableMath.log(1 - probability)
        }
    }

    /// The manifest's `calibration`; nil for the identity.
    package var json: JSONValue? {
        switch self {
        case .identity: nil
        case .platt(let slope, let offset):
            ["method": "platt", "slope": .number(slope), "offset": .number(offset)]
        case .isotonic(let logits, let probabilities):
            [
                "method": "isotonic",
                "logits": .array(logits.map { .number($0) }),
                "probabilities": .array(probabilities.map { .number($0) }),
            ]
        }
    }

    /// Reads a manifest's `calibration`.
    ///
    /// - Throws: `JSONShapeError`.
    init(decoding json: JSONView) throws(JSONShapeError) {
        let method = try json.required("method")
        switch try method.string {
        case "platt":
            self = .platt(
                slope: try json.required("slope").double,
                offset: try json.required("offset").double
            )
        case "isotonic":
            self = .isotonic(
                logits: try json.required("logits").doubles,
                probabilities: try json.required("probabilities").doubles
            )
        default: throw method.refuse("one of platt, isotonic")
        }
    }

    /// Why the numbers are no calibration; nil where they are.
    var fault: String? {
        switch self {
        case .identity: return nil
        case .platt(let slope, let offset):
            guard slope > 0 else { return "the slope must be above 0" }
            // Beyond, the log-odds of some logit would be infinite.
            return slope <= Self.plattMax && offset.magnitude <= Self.plattMax
                ? nil : "slope and offset must not exceed \(Self.plattMax) in magnitude"
        case .isotonic(let logits, let probabilities):
            guard (1...Self.pointsMax).contains(logits.count), logits.count == probabilities.count
            else { return "1 to \(Self.pointsMax) logits and as many probabilities are possible" }
            guard logits.allSatisfy(\.isFinite), zip(logits, logits.dropFirst()).allSatisfy(<)
            else { return "the logits must rise" }
            guard probabilities.allSatisfy((0...1).contains),
                zip(probabilities, probabilities.dropFirst()).allSatisfy(<=)
            else { return "the probabilities must lie in 0...1 and never fall" }
            return nil
        }
    }

    private static func interpolate(_ x: Double, _ xs: [Double], _ ys: [Double]) -> Double {
        guard x > xs[0] else { return ys[0] }
        guard x < xs[xs.count - 1] else { return ys[ys.count - 1] }
        var (low, high) = (0, xs.count - 1)
        while high - low > 1 {
            let middle = (low + high) / 2
            if xs[middle] <= x { low = middle } else { high = middle }
        }
        let share = (x - xs[low]) / (xs[high] - xs[low])
        // Rounding must not lift a point above the next one.
        return min(ys[low] + share * (ys[high] - ys[low]), ys[high])
    }
}
