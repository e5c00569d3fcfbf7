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
        case trigger
        case rest(String)
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
    }

    /// The number that each line carries.
    static let format = 1

    private var file: AppendFile
    /// When the last retraining began.
    private var lastTrigger: Int64?
    /// The drift that is under way: of which version, and whether it has been answered.
    private var episode: (version: String?, isDone: Bool)?
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
        let bytes = try FileAccess.status(of: path) == nil ? [] : try FileAccess.read(path)
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
        let state = (try? line.optional("state")?.string) ?? nil
        let version = (try? line.optional("model_version")?.string) ?? nil
        note(event, time, version, state.flatMap(DriftReading.State.init(rawValue:)))
        let reason = (try? line.required("reason").string) ?? ""
        lastRest = event == .rest ? Self.rest(reason, version) : nil
    }

    /// What makes two rests one.
    private static func rest(_ reason: String, _ version: String?) -> String {
        "\(reason) \(version ?? "")"
    }

    private mutating func note(
        _ event: Event,
        _ time: Int64,
        _ version: String?,
        _ state: DriftReading.State?
    ) {
        switch event {
        case .triggered:
            lastTrigger = time
            episode = (version, false)
        case .finished: episode = (version, true)
        case .failed: break
        case .rest: if state == .stable { episode = nil }
        }
    }

    /// Whether a retraining is to begin, now or in the cool-down's time.
    func verdict(_ reading: DriftReading, now: Int64, cooldown: Int64) -> Verdict {
        guard reading.state == .drift else { return .rest(reading.state.rawValue) }
        if let episode, episode.version == reading.modelVersion, episode.isDone {
            return .rest("this drift of this version has been answered")
        }
        if let lastTrigger, now - lastTrigger < cooldown {
            return .rest("cooling down until \(Timestamp.text(lastTrigger + cooldown))")
        }
        return .trigger
    }

    /// Appends a line, to the disk; a rest that has been told before is not told again.
    ///
    /// - Throws: `FileError`.
    mutating func append(_ entry: Entry) throws(FileError) {
        if entry.event == .rest {
            let text = Self.rest(entry.reason, entry.reading?.modelVersion)
            if text == lastRest { return }
            lastRest = text
        } else {
            lastRest = nil
        }
        try file.append(entry.json.serialized() + [UInt8(ascii: "\n")])
        try file.sync()
        note(entry.event, entry.time, entry.reading?.modelVersion, entry.reading?.state)
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
        object["status"] = status.map { .integer($0) }
        return .object(object)
    }
}
