// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import ModelRuntime

/// The fixed pieces of a model's predictions, one behind the other in one piece of memory.
struct PredictionPieces: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Up to the inside of the equipment id.
    private(set) var start = 0..<0
    /// The equipment id where there is none, with what stands before it.
    private(set) var noID = 0..<0
    /// From behind the equipment id up to the probability, for the predictions 0 and 1.
    ///
    /// The first byte is the quote behind an id.
    private var predictions = [0..<0, 0..<0]
    /// From behind the probability up to the inside of the timestamp, by risk level.
    private var riskLevels = [0..<0, 0..<0, 0..<0]
    /// From behind the timestamp up to the time.
    private(set) var version = 0..<0
    /// The same up to the version's end.
    private(set) var versionAlone = 0..<0
    /// The horizon, and behind it the opening of the windows where there are any.
    private(set) var horizon = 0..<0
    /// The alarm of a machine without one; empty where the model raises none.
    private(set) var noAlarm = 0..<0
    /// The alarm of a machine up to the inside of its timestamp, and what follows that.
    private(set) var alarm = 0..<0
    private(set) var alarmEnd = 0..<0
    private(set) var windowFill = 0..<0
    /// The empty quality, with the end of the prediction.
    private(set) var emptyQuality = 0..<0
    /// `"6h":0.167` by window and number of panes with readings, commas included.
    private var fills: [Range<Int>] = []
    /// Where each window's fills begin.
    private var fillStarts: [Int] = []
    /// How many bytes the pieces of one prediction take at most.
    private(set) var byteCountMax = 0

    /// The number of windows.
    var windowCount: Int { fillStarts.count }

    init(
        windows: [(hours: Int, panes: Int)],
        horizonHours: Double?,
        modelVersion: String,
        tellsAlarms: Bool
    ) {
        let version = String(decoding: JSONValue.string(modelVersion).serialized(), as: UTF8.self)
        let horizon = horizonHours.map(JSONValue.number) ?? .null
        let horizonText = String(decoding: horizon.serialized(), as: UTF8.self)
        start = add("{\"equipment_id\":\"")
        noID = add("{\"equipment_id\":null")
        predictions = (0...1).map { add("\",\"prediction\":\($0),\"probability\":") }
        riskLevels = ["LOW", "MEDIUM", "HIGH"].map {
            add(",\"risk_level\":\"\($0)\",\"timestamp\":\"")
        }
        self.version = add("\",\"model_version\":\(version),\"inference_time_ms\":")
        versionAlone = self.version.dropLast(",\"inference_time_ms\":".utf8.count)
        self.horizon = add(",\"horizon_hours\":\(horizonText)")
        if tellsAlarms {
            noAlarm = add(",\"alarm\":{\"active\":false,\"since\":null}")
            alarm = add(",\"alarm\":{\"active\":true,\"since\":\"")
            alarmEnd = add("\"}")
        }
        windowFill = add(",\"window_fill\":{")
        for (window, (hours, panes)) in windows.enumerated() {
            fillStarts.append(fills.count)
            let comma = window == 0 ? "" : ","
            for filled in 0...panes {
                let share = (Double(filled) / Double(panes) * 1000).rounded() / 1000
                let text = JSONValue.number(share).serialized()
                let number = String(decoding: text, as: UTF8.self)
                fills.append(add("\(comma)\"\(hours)h\":\(number)"))
            }
        }
        emptyQuality = add(",\"quality\":{}}")
        let ranges = [start, predictions[0], riskLevels[1], self.version, self.horizon]
        byteCountMax =
            ranges.reduce(0) { $0 + $1.count }
            + max(noAlarm.count, alarm.count + alarmEnd.count + Timestamp.byteCountMax)
            + windowFill.count + windows.count * 24 + emptyQuality.count + noID.count + 8
    }

    func prediction(_ value: Int) -> Range<Int> { predictions[value] }

    func riskLevel(_ level: RiskLevel) -> Range<Int> {
        switch level {
        case .low: riskLevels[0]
        case .medium: riskLevels[1]
        case .high: riskLevels[2]
        }
    }

    /// The fill of a window, a share from 0 to 1 of its panes.
    func fill(_ window: Int, _ share: Double) -> Range<Int> {
        let first = fillStarts[window]
        let next = window + 1 < fillStarts.count ? fillStarts[window + 1] : fills.count
        let panes = next - first - 1
        return fills[first + min(max(Int(share * Double(panes) + 0.5), 0), panes)]
    }

    private mutating func add(_ text: String) -> Range<Int> {
        let first = bytes.count
        bytes.append(contentsOf: text.utf8)
        return first..<bytes.count
    }
}
