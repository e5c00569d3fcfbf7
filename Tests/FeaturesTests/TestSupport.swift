// SPDX-License-Identifier: MIT

import Features
import Platform

/// A folder of its own under the system's temporary one, removed with its owner.
final class TemporaryFolder: Sendable {
    let path = "\(TemporaryFolder.parent)/pdm-features-\(UInt64.random(in: 0 ... .max))"

    // In memory where the system offers that: tests write and sync files by the thousand.
    private static let parent =
        (try? FileAccess.status(of: "/dev/shm")) == nil ? "/tmp" : "/dev/shm"

    init() { try? FileAccess.makeDirectory(path) }

    deinit { try? FileAccess.remove(path) }

    func newPath() -> String { "\(path)/\(UInt64.random(in: 0 ... .max))" }
}

/// Where a store keeps its records.
enum Backing: CaseIterable { case memory, file }

let hour = Timestamp.microsecondsPerHour

extension FeatureSpec {
    /// The standard features and one of every kind besides.
    static let everything: FeatureSpec = {
        var spec = standard
        spec.name = "everything"
        spec.elements += [
            .sinceStart([.mean, .slope], .gauges),
            .difference("temperature", "current"),
            .power("vibration", exponent: 3),
        ]
        return spec
    }()
}

/// A transform of the standard schema whose scaling changes nothing unless it is given.
func makeTransform(
    _ spec: FeatureSpec = .standard,
    schema: Schema = .standard,
    forwardFill: Bool = true,
    imputed: [Double] = [70, 3, 90, 1400, 20, 5000],
    clip: [ClosedRange<Double>?] = [nil, nil, nil, nil, nil, nil],
    scaling: [FeatureTransform.Scaling]? = nil,
    scaledClip: Double? = nil
) throws -> FeatureTransform {
    let features = try spec.resolved(for: schema)
    return FeatureTransform(
        schema: schema,
        layout: StateLayout(
            features: features,
            paneSeconds: spec.paneSeconds,
            ranges: schema.sensors.map(\.range)
        ),
        specName: spec.name,
        forwardFill: forwardFill,
        cleaning: zip(imputed, clip).map { .init(imputed: $0, clip: $1) },
        features: features,
        scaling: scaling ?? features.map { _ in .init(center: 0, scale: 1) },
        scaledClip: scaledClip
    )
}

/// A reading as a client sends it.
struct Reading: Equatable {
    var timestamp: Int64
    var isTimestamped = true
    var values: [Double]
}

/// One machine's record, outside any store.
struct Machine {
    let engine: FeatureEngine
    var words: [UInt64]
    var scratch: FeatureScratch
    private var arrival: Int64 = 0

    init(_ engine: FeatureEngine) {
        self.engine = engine
        words = Array(repeating: 0xDEAD_BEEF_DEAD_BEEF, count: engine.records.wordCount)
        scratch = engine.makeScratch()
        let id = Array("EQ001".utf8)
        var span = words.mutableSpan
        engine.records.reset(&span, at: 0, id: id.span)
    }

    @discardableResult
    mutating func take(_ reading: Reading) -> Admission {
        arrival += 1
        scratch.values = reading.values
        let time = ReadingTime(
            timestamp: reading.timestamp,
            isTimestamped: reading.isTimestamped,
            arrival: arrival
        )
        var record: [UInt64] = []
        swap(&record, &words)
        var span = record.mutableSpan
        let admission = engine.observe(time, in: &span, at: 0, scratch: &scratch)
        swap(&record, &words)
        engine.finishRow(&scratch)
        return admission
    }

    @discardableResult
    mutating func take(_ timestamp: Int64, _ values: [Double]) -> Admission {
        take(Reading(timestamp: timestamp, values: values))
    }

    mutating func beginAnew(_ timestamp: Int64) {
        let records = engine.records
        var span = words.mutableSpan
        records.beginAnew(&span, at: 0, timestamp: timestamp)
    }

    func feature(_ name: String) -> Double? {
        engine.transform.featureNames.firstIndex(of: name).map { scratch.features[$0] }
    }

    /// The words of the sums since the start of all five gauges.
    var sinceStart: ArraySlice<UInt64> {
        let start = panes.startIndex - (engine.transform.layout.gauges.count * 8)
        return words[start..<panes.startIndex]
    }

    /// The words of all panes, by the table in the documentation of `RecordLayout`.
    var panes: ArraySlice<UInt64> {
        let sensorCount = engine.transform.schema.sensors.count
        let totals = engine.transform.layout.gauges.reduce(0) { words, gauge in
            words + (gauge.sinceStart.map { $0 == .slope ? 8 : 2 } ?? 0)
        }
        return words[(31 + sensorCount + (sensorCount + 1) / 2 + 4 + totals)...]
    }
}
