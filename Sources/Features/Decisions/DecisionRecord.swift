// SPDX-License-Identifier: MIT

/// What is kept of one prediction beside the reading's values, flags and machine.
///
/// In a log it is a run of 64-bit words:
///
///     word  0   bits 0-15    words of the record
///               bits 16-23   bytes of the equipment id
///               bits 24-39   sensors
///               bits 40-41   the timestamp: 0 in order, 1 late, 2 stale, 3 duplicate
///               bit  42      the predicted class
///               bits 43-44   the risk level: 0 low, 1 medium, 2 high
///               bit  45      the reading had a timestamp of its own
///               bit  46      the request brought its own history, which the log has not
///               bits 48-63   the number of the model, as the file names it
///     word  1   timestamp of the reading, microseconds since 1970
///     word  2   its arrival, microseconds since 1970
///     word  3   readings that the machine's record had taken in after it
///     word  4   index of the first pane that counted then (Int64.min: none)
///     word  5   probability (bits of a Double)
///     then      the value of each sensor as it was measured (bits of a Double, NaN: missing)
///     then      the flags of each sensor, eight a word, the first lowest
///     then      the equipment id, eight bytes a word, the first lowest
package struct DecisionRecord: Equatable, Sendable {
    /// Words before the values.
    static let headWordCount = 6

    /// The number that the file gives the model.
    package var model: Int
    /// The moment that the reading is about, and how it came.
    package var time: ReadingTime
    /// What the machine's record made of the timestamp.
    package var admission: Admission
    /// How far the machine's record had come with the reading.
    package var standing: RecordStanding
    /// Whether the request brought its own history.
    package var hasHistory: Bool
    /// Probability of failure within the horizon.
    package var probability: Double
    /// The predicted class.
    package var prediction: Int
    /// 0 low, 1 medium, 2 high.
    package var riskLevel: Int

    /// Describes a prediction.
    package init(
        model: Int,
        time: ReadingTime,
        admission: Admission,
        standing: RecordStanding,
        hasHistory: Bool,
        probability: Double,
        prediction: Int,
        riskLevel: Int
    ) {
        self.model = model
        self.time = time
        self.admission = admission
        self.standing = standing
        self.hasHistory = hasHistory
        self.probability = probability
        self.prediction = prediction
        self.riskLevel = riskLevel
    }

    /// Words of a record.
    package static func wordCount(sensors: Int, idByteCount: Int) -> Int {
        headWordCount + sensors + (sensors + 7) / 8 + (idByteCount + 7) / 8
    }

    /// Appends the record; nothing is checked but that the id is one that records hold.
    package func append(
        values: Span<Double>,
        flags: Span<SensorFlags>,
        id: Span<UInt8>,
        to words: inout [UInt64]
    ) {
        precondition(id.count <= SpecLimits.equipmentIDBytesMax && flags.count == values.count)
        let count = Self.wordCount(sensors: values.count, idByteCount: id.count)
        words.append(addingCapacity: count) { output in
            output.append(firstWord(count, sensors: values.count, idByteCount: id.count))
            output.append(UInt64(bitPattern: time.timestamp))
            output.append(UInt64(bitPattern: time.arrival))
            output.append(UInt64(truncatingIfNeeded: standing.readingCount))
            output.append(UInt64(bitPattern: standing.firstPane))
            output.append(probability.bitPattern)
            for sensor in 0..<values.count { output.append(values[sensor].bitPattern) }
            var first = 0
            while first < flags.count {
                var word: UInt64 = 0
                for sensor in first..<min(first + 8, flags.count) {
                    word |= UInt64(flags[sensor].rawValue) << UInt64((sensor - first) * 8)
                }
                output.append(word)
                first += 8
            }
            first = 0
            while first < id.count {
                var word: UInt64 = 0
                for index in first..<min(first + 8, id.count) {
                    word |= UInt64(id[index]) << UInt64((index - first) * 8)
                }
                output.append(word)
                first += 8
            }
        }
    }

    private func firstWord(_ count: Int, sensors: Int, idByteCount: Int) -> UInt64 {
        let admission: UInt64 =
            switch admission {
            case .inOrder: 0
            case .late: 1
            case .stale: 2
            case .duplicate: 3
            }
        let numbers = UInt64(count) | UInt64(idByteCount) << 16 | UInt64(sensors) << 24
        let outcome = admission << 40 | UInt64(prediction & 1) << 42 | UInt64(riskLevel & 3) << 43
        let marks = UInt64(time.isTimestamped ? 1 : 0) << 45 | UInt64(hasHistory ? 1 : 0) << 46
        return numbers | outcome | marks | UInt64(truncatingIfNeeded: model) << 48
    }
}

/// A record in a log's words, and where its parts stand.
package struct DecisionPlace: Equatable, Sendable {
    /// The record's words.
    let words: Range<Int>
    let sensorCount: Int
    let idByteCount: Int

    /// The record that begins at a word; nil where there is none.
    init?(_ span: Span<UInt64>, at start: Int, end: Int) {
        guard start < end else { return nil }
        let first = span[start]
        sensorCount = Int(first >> 24 & 0xFFFF)
        idByteCount = Int(first >> 16 & 0xFF)
        let count = Int(first & 0xFFFF)
        guard (1...SpecLimits.sensorsMax).contains(sensorCount),
            idByteCount <= SpecLimits.equipmentIDBytesMax,
            count
                == DecisionRecord.wordCount(sensors: sensorCount, idByteCount: idByteCount),
            count <= end - start, Self.isPossible(span, at: start)
        else { return nil }
        words = start..<start + count
    }

    /// Whether times and count are such that arithmetic with them does not overflow.
    private static func isPossible(_ span: Span<UInt64>, at start: Int) -> Bool {
        Timestamp.range.contains(Int64(bitPattern: span[start + 1]))
            && Timestamp.range.contains(Int64(bitPattern: span[start + 2]))
            && RecordStanding.readings.contains(span[start + 3])
    }

    /// Whether the record can be one of a model: it has the sensors, and its first pane a time.
    func fits(_ model: LoggedModel, in span: Span<UInt64>) -> Bool {
        sensorCount == model.schema.sensors.count
            && RecordStanding.canBegin(
                withPane: Int64(bitPattern: span[words.lowerBound + 4]),
                paneMicroseconds: Int64(model.paneSeconds) * Timestamp.microsecondsPerSecond
            )
    }

    private var values: Int { words.lowerBound + DecisionRecord.headWordCount }

    /// What was predicted.
    package func record(in span: Span<UInt64>) -> DecisionRecord {
        let start = words.lowerBound
        let first = span[start]
        let admissions: [Admission] = [.inOrder, .late, .stale, .duplicate]
        return DecisionRecord(
            model: Int(first >> 48),
            time: ReadingTime(
                timestamp: Int64(bitPattern: span[start + 1]),
                isTimestamped: first >> 45 & 1 == 1,
                arrival: Int64(bitPattern: span[start + 2])
            ),
            admission: admissions[Int(first >> 40 & 3)],
            standing: RecordStanding(
                readingCount: Int(truncatingIfNeeded: span[start + 3]),
                firstPane: Int64(bitPattern: span[start + 4])
            ),
            hasHistory: first >> 46 & 1 == 1,
            probability: Double(bitPattern: span[start + 5]),
            prediction: Int(first >> 42 & 1),
            riskLevel: Int(first >> 43 & 3)
        )
    }

    /// The values of the sensors as they were measured; NaN for none.
    package func values(in span: Span<UInt64>) -> [Double] {
        var result: [Double] = []
        for word in values..<values + sensorCount { result.append(Double(bitPattern: span[word])) }
        return result
    }

    /// What was noticed of each sensor.
    package func flags(in span: Span<UInt64>) -> [SensorFlags] {
        span.bytes(count: sensorCount, from: values + sensorCount).map(SensorFlags.init(rawValue:))
    }

    /// The equipment id.
    package func id(in span: Span<UInt64>) -> [UInt8] {
        span.bytes(count: idByteCount, from: values + sensorCount + (sensorCount + 7) / 8)
    }
}
