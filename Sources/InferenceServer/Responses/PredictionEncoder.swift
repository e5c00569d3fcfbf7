// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import Platform

/// Writes predictions; what is the same in every answer of a model is made once.
///
/// A class, so that handing it on costs one reference and not one for each of its parts.
final class PredictionEncoder: Sendable {
    /// How an answer is laid out.
    enum Form {
        /// The whole object of `/predict`.
        case whole
        /// An element of a batch, without what the batch says once.
        case element
        /// An element that another model answered than the batch names.
        case versionedElement
    }

    private let pieces: PredictionPieces
    /// `"temperature":` for each sensor.
    private let sensorKeys: [[UInt8]]
    /// The bytes of a prediction without flags: the pieces, two numbers and a timestamp.
    private let byteCountMax: Int
    /// The bytes of a prediction with all flags, but for what it repeats of the request.
    let answerByteCountMax: Int

    init(
        sensors: [String],
        windows: [(hours: Int, panes: Int)],
        horizonHours: Double?,
        modelVersion: String,
        tellsAlarms: Bool
    ) {
        pieces = PredictionPieces(
            windows: windows,
            horizonHours: horizonHours,
            modelVersion: modelVersion,
            tellsAlarms: tellsAlarms
        )
        sensorKeys = sensors.map { name in
            JSONValue.string(name).serialized() + [UInt8(ascii: ":")]
        }
        byteCountMax = pieces.byteCountMax + 2 * JSONNumber.byteCountMax + Timestamp.byteCountMax
        answerByteCountMax =
            byteCountMax
            + sensorKeys.reduce(Keys.qualityByteCountMax) {
                $0 + $1.count + Keys.flagsByteCountMax
            }
    }

    /// The number of windows that answers tell the fill of.
    var windowCount: Int { pieces.windowCount }

    /// Appends the prediction of a row, `microseconds` after its work began.
    ///
    /// `body` is the request, from which the id is repeated as the client wrote it. The predictor,
    /// of which nothing changes, goes along as `inout` here and below: to borrow it from its owner
    /// copies a kilobyte.
    func append(
        _ index: Int,
        of predictor: inout RowPredictor,
        _ rows: borrowing ReadingRows,
        body: Span<UInt8>,
        form: Form,
        microseconds: Int,
        to output: inout [UInt8]
    ) {
        let outcome = predictor.outcomes[index]
        let id = rows.rows[index].rawID
        let isClean = isClean(index, &predictor, rows)
        let windows = showsWindows(index, &predictor, form)
        let capacity = byteCountMax + (id?.count ?? 0)
        output.append(addingCapacity: capacity) { output in
            let bytes = pieces.bytes
            let text = bytes.span
            let prediction = pieces.prediction(outcome.prediction)
            if let id {
                output.append(copying: text.extracting(pieces.start))
                output.append(copying: body.extracting(id))
                output.append(copying: text.extracting(prediction))
            } else {
                output.append(copying: text.extracting(pieces.noID))
                output.append(copying: text.extracting(prediction.dropFirst()))
            }
            JSONNumber.append(outcome.probability, to: &output)
            output.append(copying: text.extracting(pieces.riskLevel(outcome.riskLevel)))
            Timestamp.append(outcome.timestamp, to: &output)
            switch form {
            case .whole:
                output.append(copying: text.extracting(pieces.version))
                JSONNumber.append(thousandths: microseconds, to: &output)
                output.append(copying: text.extracting(pieces.horizon))
            case .element: output.append(UInt8(ascii: "\""))
            case .versionedElement: output.append(copying: text.extracting(pieces.versionAlone))
            }
            if outcome.alarmNote != .none {
                appendAlarm(since: outcome.alarmSince, text, to: &output)
            }
            if windows { appendWindowFill(index, &predictor, text, to: &output) }
            if isClean {
                switch form {
                case .whole: output.append(copying: text.extracting(pieces.emptyQuality))
                case .element, .versionedElement: output.append(UInt8(ascii: "}"))
                }
            }
        }
        if !isClean { appendQuality(index, &predictor, rows, body, to: &output) }
    }

    /// Appends what a batch says once, after its array of predictions.
    func appendBatchEnd(count: Int, microseconds: Int, to output: inout [UInt8]) {
        output.append(contentsOf: Keys.count)
        JSONNumber.append(count, to: &output)
        output.append(addingCapacity: byteCountMax) { output in
            let bytes = pieces.bytes
            let text = bytes.span
            // Without the quote that ends a timestamp.
            output.append(copying: text.extracting(pieces.version.dropFirst()))
            JSONNumber.append(thousandths: microseconds, to: &output)
            output.append(copying: text.extracting(pieces.horizon))
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Whether there is nothing to say of the row's quality.
    private func isClean(
        _ index: Int,
        _ predictor: inout RowPredictor,
        _ rows: borrowing ReadingRows
    ) -> Bool {
        let count = sensorKeys.count
        var flags: UInt8 = 0
        for place in index * count..<(index + 1) * count {
            flags |= predictor.flags[place].rawValue
        }
        return flags == 0 && predictor.outcomes[index].admission == .inOrder
            && rows.rows[index].unknownCount == 0
    }

    private func showsWindows(
        _ index: Int,
        _ predictor: inout RowPredictor,
        _ form: Form
    ) -> Bool {
        let count = pieces.windowCount
        if case .whole = form { return count > 0 }
        for window in 0..<count where predictor.windowFill[index * count + window] < 1 {
            return true
        }
        return false
    }

    private func appendAlarm(
        since: Int64?,
        _ text: Span<UInt8>,
        to output: inout OutputSpan<UInt8>
    ) {
        guard let since else { return output.append(copying: text.extracting(pieces.noAlarm)) }
        output.append(copying: text.extracting(pieces.alarm))
        Timestamp.append(since, to: &output)
        output.append(copying: text.extracting(pieces.alarmEnd))
    }

    private func appendWindowFill(
        _ index: Int,
        _ predictor: inout RowPredictor,
        _ text: Span<UInt8>,
        to output: inout OutputSpan<UInt8>
    ) {
        let count = pieces.windowCount
        output.append(copying: text.extracting(pieces.windowFill))
        for window in 0..<count {
            let share = predictor.windowFill[index * count + window]
            output.append(copying: text.extracting(pieces.fill(window, share)))
        }
        output.append(UInt8(ascii: "}"))
    }

    /// Appends the flags of a row that has some, and the end of its prediction.
    private func appendQuality(
        _ index: Int,
        _ predictor: inout RowPredictor,
        _ rows: borrowing ReadingRows,
        _ body: Span<UInt8>,
        to output: inout [UInt8]
    ) {
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
        output.append(UInt8(ascii: "}"))
        output.append(UInt8(ascii: "}"))
    }

    private func appendFlags(_ flags: SensorFlags, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        let open = output.count
        for flag in Keys.sensorFlags where flags.contains(flag.value) {
            if output.count > open { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: flag.quoted)
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
            let name = rows.unknownNames[place]
            for byte in name { output.append(body[byte]) }
            let isCut = body[name.upperBound] != UInt8(ascii: "\"")
            if isCut { output.append(contentsOf: Keys.ellipsis) }
            output.append(UInt8(ascii: "\""))
        }
        output.append(UInt8(ascii: "]"))
    }
}
