// SPDX-License-Identifier: MIT

package import JSON
package import Platform

/// What a training did and how long it took.
///
/// It stands beside the bundle as `<version>.training.json`, not in it: the same data, options and
/// seed give the same bundle, but never the same seconds.
package struct TrainingLog: Sendable {
    /// One epoch, as whoever trained saw it.
    package struct Epoch: Equatable, Sendable {
        /// Its duration, its validation included.
        package var seconds: Double
        /// Mean weighted loss over the training rows.
        package var loss: Double
        /// PR-AUC on the validation rows; nil without positives.
        package var prAUC: Double?
    }

    private static let format = 1
    /// The longest epoch that is read: 115 days.
    private static let secondsMax = 1e7

    /// What trained: `pdm`, or another framework with its version.
    package let framework: String
    /// All epochs in order, of all seeds.
    package private(set) var epochs: [Epoch] = []
    private let clock: MonotonicClock
    private var lastNanoseconds: Int64

    /// Starts a log and its clock.
    package init(framework: String, clock: MonotonicClock = .system) {
        self.framework = framework
        self.clock = clock
        lastNanoseconds = clock.nowNanoseconds
    }

    /// Notes an epoch that ends now.
    package mutating func recordEpoch(loss: Double, prAUC: Double?) {
        let now = clock.nowNanoseconds
        let seconds = Double(now - lastNanoseconds) / 1e9
        lastNanoseconds = now
        epochs.append(Epoch(seconds: seconds, loss: loss, prAUC: prAUC))
    }

    /// The duration of all epochs.
    package var seconds: Double { epochs.reduce(0) { $0 + $1.seconds } }

    /// Where the log of a bundle stands.
    package static func path(ofBundle path: String) -> String { "\(path).training.json" }

    /// The content of the file.
    package var json: JSONValue {
        [
            "format": .integer(Self.format),
            "framework": .string(framework),
            "seconds": .number(seconds),
            "epochs": .array(
                epochs.map { epoch in
                    [
                        "seconds": .number(epoch.seconds),
                        "loss": .number(epoch.loss),
                        "pr_auc": epoch.prAUC.map { .number($0) } ?? .null,
                    ]
                }
            ),
        ]
    }

    /// Reads what ``json`` writes; other keys are passed over.
    ///
    /// - Throws: `JSONShapeError`.
    package init(json: JSONView) throws(JSONShapeError) {
        let format = try json.required("format")
        guard try format.int == Self.format else { throw format.refuse("\(Self.format)") }
        self.init(framework: try json.required("framework").string)
        for view in try json.required("epochs").array {
            let duration = try view.required("seconds")
            guard (0...Self.secondsMax).contains(try duration.double) else {
                throw duration.refuse("0 to \(Self.secondsMax) seconds")
            }
            let epoch = Epoch(
                seconds: try duration.double,
                loss: try view.required("loss").double,
                prAUC: try view.optional("pr_auc")?.double
            )
            epochs.append(epoch)
        }
    }
}
