// SPDX-License-Identifier: MIT

internal import Features
internal import JSON

/// Writes predictions; what is the same in every answer of a model is made once.
struct PredictionEncoder: Sendable {
    /// How an answer is laid out.
    enum Form {
        /// The whole object of `/predict`.
        case whole
        /// An element of a batch, without what the batch says once.
        case element
    }

    /// The model version and the key of the time, which comes last.
    private let versionPart: [UInt8]
    /// The horizon with its key.
    private let horizonPart: [UInt8]
    /// `"6h":` for each window.
    private let windowKeys: [[UInt8]]
    /// `"temperature":` for each sensor.
    private let sensorKeys: [[UInt8]]

    init(
        sensors: [String],
        windowHours: [Int],
        horizonHours: Double?,
        modelVersion: String
    ) {
        let version = JSONValue.string(modelVersion).serialized()
        versionPart = Array(",\"model_version\":".utf8) + version + Keys.inferenceTime
        let horizon = horizonHours.map(JSONValue.number) ?? .null
        horizonPart = Array(",\"horizon_hours\":".utf8) + horizon.serialized()
        windowKeys = windowHours.map { Array("\"\($0)h\":".utf8) }
        sensorKeys = sensors.map { name in
            JSONValue.string(name).serialized() + [UInt8(ascii: ":")]
        }
    }

    /// Appends the prediction of a row.
    ///
    /// `body` is the request, from which the id is repeated as the client wrote it.
    func append(
        _ index: Int,
        of predictor: borrowing RowPredictor,
        _ rows: borrowing ReadingRows,
        body: Span<UInt8>,
        form: Form,
        milliseconds: Double,
        to output: inout [UInt8]
    ) {
        let row = rows.rows[index]
        let outcome = predictor.outcomes[index]
        output.append(contentsOf: Keys.equipmentID)
        if let id = row.rawID {
            output.append(UInt8(ascii: "\""))
            for place in id { output.append(body[place]) }
            output.append(UInt8(ascii: "\""))
        } else {
            output.append(contentsOf: Keys.null)
        }
        output.append(contentsOf: outcome.prediction == 1 ? Keys.prediction1 : Keys.prediction0)
        JSONNumber.append(outcome.probability, to: &output)
        output.append(contentsOf: Keys.riskLevel(outcome.riskLevel))
        Timestamp.append(outcome.timestamp, to: &output)
        output.append(UInt8(ascii: "\""))
        if case .whole = form {
            output.append(contentsOf: versionPart)
            JSONNumber.append(milliseconds, to: &output)
            output.append(contentsOf: horizonPart)
        }
        appendWindowFill(index, predictor, form, to: &output)
        appendQuality(index, predictor, rows, body, form, to: &output)
        output.append(UInt8(ascii: "}"))
    }

    /// Appends what a batch says once, after its array of predictions.
    func appendBatchEnd(count: Int, milliseconds: Double, to output: inout [UInt8]) {
        output.append(contentsOf: Keys.count)
        JSONNumber.append(count, to: &output)
        output.append(contentsOf: versionPart)
        JSONNumber.append(milliseconds, to: &output)
        output.append(contentsOf: horizonPart)
        output.append(UInt8(ascii: "}"))
    }

    private func appendWindowFill(
        _ index: Int,
        _ predictor: borrowing RowPredictor,
        _ form: Form,
        to output: inout [UInt8]
    ) {
        let count = windowKeys.count
        guard count > 0 else { return }
        if case .element = form {
            var isFull = true
            for window in 0..<count where predictor.windowFill[index * count + window] < 1 {
                isFull = false
            }
            if isFull { return }
        }
        output.append(contentsOf: Keys.windowFill)
        for window in 0..<count {
            if window > 0 { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: windowKeys[window])
            let fill = predictor.windowFill[index * count + window]
            JSONNumber.append((fill * 1000).rounded() / 1000, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    private func appendQuality(
        _ index: Int,
        _ predictor: borrowing RowPredictor,
        _ rows: borrowing ReadingRows,
        _ body: Span<UInt8>,
        _ form: Form,
        to output: inout [UInt8]
    ) {
        let start = output.count
        output.append(contentsOf: Keys.quality)
        let open = output.count
        let count = sensorKeys.count
        // Comparing with the empty set goes through a generic initialiser: 3 % of a request.
        for sensor in 0..<count where predictor.flags[index * count + sensor].rawValue != 0 {
            if output.count > open { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: sensorKeys[sensor])
            appendFlags(predictor.flags[index * count + sensor], to: &output)
        }
        if let flag = Keys.flag(of: predictor.outcomes[index].admission) {
            if output.count > open { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: flag)
        }
        if rows.rows[index].unknownCount > 0 {
            if output.count > open { output.append(UInt8(ascii: ",")) }
            appendUnknownFields(rows.rows[index].unknownNames, rows, body, to: &output)
        }
        if case .element = form, output.count == open {
            output.removeLast(output.count - start)
        } else {
            output.append(UInt8(ascii: "}"))
        }
    }

    private func appendFlags(_ flags: SensorFlags, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        let open = output.count
        for (flag, name) in Keys.sensorFlags where flags.contains(flag) {
            if output.count > open { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: name)
        }
        output.append(UInt8(ascii: "]"))
    }

    private func appendUnknownFields(
        _ names: Range<Int>,
        _ rows: borrowing ReadingRows,
        _ body: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        output.append(contentsOf: Keys.unknownFields)
        for place in names {
            if place > names.lowerBound { output.append(UInt8(ascii: ",")) }
            output.append(UInt8(ascii: "\""))
            // As the client wrote it: inside the quotes of one JSON text it is valid in another.
            for byte in rows.unknownNames[place] { output.append(body[byte]) }
            output.append(UInt8(ascii: "\""))
        }
        output.append(UInt8(ascii: "]"))
    }
}
