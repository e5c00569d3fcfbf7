// SPDX-License-Identifier: MIT

import Features
import JSON
import Platform
import Training

/// What `pdm retrain` has seen and done: lines of JSON that are only ever appended.
///
/// All that it goes by is read from these lines, so that a new process goes on where the last one
/// was. A line that was cut off is passed over.
struct RetrainMemory: ~Copyable {
    /// What a line tells.
    enum Event: String {
        /// The retraining begins.
        case triggered
        /// It came to its end, whatever the gate said.
        case finished
        /// It could not be done; after the cool-down it is tried again.
        case failed
        /// Nothing is to be done.
        case rest
    }

    /// Whether a retraining is to begin.
    enum Verdict: Equatable {
        /// It is; for the so many-th time where the drift has been answered and has not grown, and
        /// with what has grown where it has.
        case trigger(answer: Int, grown: [String])
        case rest(String)
    }

    /// How long is waited from the beginning of one retraining to that of another.
    struct Pauses {
        /// In any case.
        var cooldown: Int64
        /// For a drift that has been answered and has not grown, and twice as long each time; 0:
        /// for ever.
        var again: Int64
    }

    /// One line.
    struct Entry: Equatable {
        var time: Int64
        var event: Event
        var reason: String
        var source: String
        var target: String
        var reading: DriftReading?
        var status: Int?
        /// How often the drift has been answered with this time.
        var answer: Int?
        /// The features that have grown since it was answered last.
        var grown: [String] = []
        /// What later looks are compared with, where that is from here on this one.
        var extent: DriftExtent?
    }

    /// The drift that was answered last.
    private struct Answer {
        /// When its retraining began.
        var time: Int64
        /// How often it has been answered.
        var count: Int
        /// Whether the retraining came to its end, whatever the gate said.
        var isDone = false
        /// Of which version the extent is.
        var version: String?
        /// How far features were then, or when another version's windows were first seen.
        var extent: DriftExtent
    }

    /// Doublings of the pause before an answer is repeated: a thousand times as long.
    private static let doublingsMax = 10
    /// The number that each line carries.
    static let format = 1

    private var file: AppendFile
    private var answer: Answer?
    private var lastRest: String?

    private init(_ file: consuming AppendFile, _ bytes: [UInt8]) {
        self.file = file
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let value = try? JSONValue.parse(Array(line)) else { continue }
            recall(JSONView(value))
        }
    }

    /// Reads what there is.
    ///
    /// - Throws: `FileError`.
    static func open(_ path: String) throws(FileError) -> RetrainMemory {
        let bytes = try FileAccess.status(of: path) == nil ? [] : try FileAccess.readRegular(path)
        var file = try AppendFile(path)
        // A cut line must not swallow the next one.
        if let last = bytes.last, last != UInt8(ascii: "\n") {
            try file.append([UInt8(ascii: "\n")])
        }
        return RetrainMemory(file, bytes)
    }

    private mutating func recall(_ line: JSONView) {
        guard (try? line.required("format").int) == Self.format,
            let event = (try? line.required("event").string).flatMap(Event.init(rawValue:)),
            let text = try? line.required("time").string,
            let time = Timestamp.parse(
                text.utf8.span,
                0..<text.utf8.count,
                naiveOffsetMinutes: 0
            )
        else { return }
        let version = (try? line.optional("model_version")?.string) ?? nil
        note(
            event,
            time,
            version,
            count: (try? line.optional("answer")?.int) ?? nil,
            extent: Self.extent(line)
        )
        let reason = (try? line.required("reason").string) ?? ""
        lastRest = event == .rest ? Self.rest(reason, version) : nil
    }

    /// What a line says of the features; an older one has the names of those that drift.
    private static func extent(_ line: JSONView) -> DriftExtent? {
        let told = try? line.optional("features")
        if let told = told ?? nil { return try? DriftExtent(json: told) }
        guard (try? line.required("event").string) == Event.triggered.rawValue else { return nil }
        return try? DriftReading(json: line).extent
    }

    /// What makes two rests one.
    private static func rest(_ reason: String, _ version: String?) -> String {
        "\(reason) \(version ?? "")"
    }

    private mutating func note(
        _ event: Event,
        _ time: Int64,
        _ version: String?,
        count: Int?,
        extent: DriftExtent?
    ) {
        switch event {
        case .triggered:
            answer = Answer(
                time: time,
                count: count ?? 1,
                version: version,
                extent: extent ?? DriftExtent()
            )
        case .finished: answer?.isDone = true
        case .failed: break
        case .rest:
            // As a whole: a type that is not copyable never frees what a field of an optional held
            // where that is replaced in place (Swift 6.3).
            guard let extent, var answer else { return }
            answer.version = version
            answer.extent = extent
            self.answer = answer
        }
    }

    /// Whether a retraining is to begin, now or after a pause.
    func verdict(_ reading: DriftReading, now: Int64, _ pauses: Pauses) -> Verdict {
        guard reading.state == .drift else { return .rest(reading.state.rawValue) }
        guard let answer else { return .trigger(answer: 1, grown: []) }
        if now - answer.time < pauses.cooldown {
            return .rest("cooling down until \(Timestamp.text(answer.time + pauses.cooldown))")
        }
        // What came to no end is tried again.
        guard answer.isDone else { return .trigger(answer: answer.count, grown: []) }
        let grown = grown(reading)
        if !grown.isEmpty { return .trigger(answer: 1, grown: grown) }
        let doublings = min(answer.count - 1, Self.doublingsMax)
        let (pause, overflows) = pauses.again.multipliedReportingOverflow(by: 1 << doublings)
        let done = "answered on \(Timestamp.text(answer.time)), and not grown since"
        guard pause > 0, !overflows else { return .rest(done) }
        if now - answer.time < pause {
            return .rest("\(done); again from \(Timestamp.text(answer.time + pause))")
        }
        return .trigger(answer: answer.count + 1, grown: [])
    }

    /// The features that make it another drift than the one that was answered; none where it is
    /// the same.
    private func grown(_ reading: DriftReading) -> [String] {
        guard let answer else { return reading.features }
        let grown = reading.extent.grown(since: answer.extent, among: reading.features)
        return DriftExtent.isGrown(grown, among: reading.features) ? grown : []
    }

    /// Whether later looks are compared with this one: the first of another version, whose windows
    /// show what its training has left of the drift, if that is all they show.
    private func isFirst(_ reading: DriftReading) -> Bool {
        guard let answer, answer.isDone, reading.state != .warming,
            answer.version != reading.modelVersion
        else { return false }
        return grown(reading).isEmpty
    }

    /// Appends a line, to the disk; a rest that has been told before is not told again.
    ///
    /// - Throws: `FileError`.
    mutating func append(_ entry: Entry) throws(FileError) {
        var entry = entry
        if entry.event == .rest {
            var isFirst = false
            if let reading = entry.reading { isFirst = self.isFirst(reading) }
            let text = Self.rest(entry.reason, entry.reading?.modelVersion)
            if text == lastRest, !isFirst { return }
            lastRest = text
            entry.extent = isFirst ? entry.reading?.extent : nil
        } else {
            lastRest = nil
            entry.extent = entry.event == .triggered ? entry.reading?.extent : nil
        }
        try file.append(entry.json.serialized() + [UInt8(ascii: "\n")])
        try file.sync()
        note(
            entry.event,
            entry.time,
            entry.reading?.modelVersion,
            count: entry.answer,
            extent: entry.extent
        )
    }
}

extension RetrainMemory.Entry {
    /// The line's object.
    var json: JSONValue {
        var object = JSONObject()
        object["format"] = .integer(RetrainMemory.format)
        object["time"] = .string(Timestamp.text(time))
        object["event"] = .string(event.rawValue)
        object["reason"] = .string(reason)
        object["source"] = .string(source)
        object["target"] = .string(target)
        if let reading {
            object["state"] = .string(reading.state.rawValue)
            object["model_version"] = reading.modelVersion.map { .string($0) }
            object["drifted_share"] = .number(reading.share)
            object["drifted_features"] = .array(reading.features.map { .string($0) })
            object["window"] = reading.window
        }
        object["answer"] = answer.map { .integer($0) }
        if !grown.isEmpty { object["grown_features"] = .array(grown.map { .string($0) }) }
        object["features"] = extent?.json
        object["status"] = status.map { .integer($0) }
        return .object(object)
    }
}
