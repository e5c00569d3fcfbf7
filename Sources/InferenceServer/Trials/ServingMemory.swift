// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import ModelRuntime
internal import Platform

/// Which version serves and what is tried beside it, in `serving.json` of the state directory: so a
/// restart ends no trial, and a version that comes with one is compared with its predecessor too.
///
/// - Note: Thread-safe; the file is read and written on the queue that follows the models.
final class ServingMemory: Sendable {
    /// A version and the digest of its bundle.
    struct Version: Equatable, Sendable {
        let name: String
        let digest: String
    }

    /// A trial that goes on.
    struct Trial: Equatable, Sendable {
        /// The second model.
        let second: Version
        /// The role's word.
        let mode: String
        /// The least that is left of a probation.
        let remainingSeconds: Double
        let comparison: TrialComparison
    }

    /// What serves.
    struct Content: Equatable, Sendable {
        let served: Version
        let trial: Trial?
    }

    private struct Written {
        var content: Content?
        var nanoseconds: Int64 = 0
    }

    static let fileName = "serving.json"
    static let format = 1
    static let bytesMax = 1 << 20
    /// Between two writings where nothing but numbers has changed: what a kill loses of a trial.
    private static let intervalNanoseconds: Int64 = 60_000_000_000

    /// The file; nil where there is no state directory.
    let path: String?
    private let written = Lock(Written())

    init(stateDirectory: String?) {
        path = stateDirectory.map { "\($0)/\(Self.fileName)" }
    }

    /// What the process before has written down; nil where that is nothing.
    func read() throws -> Content? {
        guard let path, try FileAccess.status(of: path) != nil else { return nil }
        let bytes = try FileAccess.readRegular(path, byteCountMax: Self.bytesMax)
        let json = JSONView(try JSONValue.parse(bytes))
        try json.checkFormat(Self.format, keys: [Key.version, Key.digest, Key.trial])
        return Content(
            served: try Version(json),
            trial: try json.optional(Key.trial).map(Trial.init)
        )
    }

    /// Writes down what serves, where that is other than what was written last, or a minute ago.
    ///
    /// - Throws: `FileError`.
    func write(_ content: Content, now: Int64, isForced: Bool) throws(FileError) {
        guard let path else { return }
        let last = written.withLock { $0 }
        guard content != last.content else { return }
        let isSame = content.served == last.content?.served && content.isAlike(last.content)
        guard isForced || !isSame || now - last.nanoseconds >= Self.intervalNanoseconds else {
            return
        }
        try FileAccess.replace(path, with: content.json.serialized(isPretty: true))
        written.withLock { $0 = Written(content: content, nanoseconds: now) }
    }

    fileprivate enum Key {
        static let version = "version"
        static let digest = "sha256sums_digest"
        static let trial = "trial"
        static let mode = "mode"
        static let remaining = "remaining_seconds"
        static let readings = "readings"
        static let disagreements = "disagreements"
        static let failures = "failures"
        static let difference = "difference"
    }
}

extension ServingMemory.Content {
    /// Whether the same is tried in the same way, whatever has been counted.
    fileprivate func isAlike(_ other: Self?) -> Bool {
        trial?.second == other?.trial?.second && trial?.mode == other?.trial?.mode
    }

    fileprivate var json: JSONValue {
        typealias Key = ServingMemory.Key
        var object = JSONObject()
        object["format"] = .integer(ServingMemory.format)
        object[Key.version] = .string(served.name)
        object[Key.digest] = .string(served.digest)
        object[Key.trial] = trial.map { trial in
            [
                Key.version: .string(trial.second.name),
                Key.digest: .string(trial.second.digest),
                Key.mode: .string(trial.mode),
                Key.remaining: .number(trial.remainingSeconds),
                Key.readings: .array(trial.comparison.readings.map(JSONValue.integer)),
                Key.disagreements: .integer(trial.comparison.disagreements),
                Key.failures: .integer(trial.comparison.failures),
                Key.difference: .number(trial.comparison.difference),
            ]
        }
        return .object(object)
    }
}

extension ServingMemory.Version {
    fileprivate init(_ view: JSONView) throws(JSONShapeError) {
        let name = try view.required(ServingMemory.Key.version)
        // It is looked up as a folder.
        guard let version = BundleVersion(try name.string) else {
            throw name.refuse("YYYYMMDD_HHMMSS")
        }
        self.init(
            name: "\(version)",
            digest: try view.required(ServingMemory.Key.digest).string
        )
    }
}

extension ServingMemory.Trial {
    fileprivate init(_ view: JSONView) throws(JSONShapeError) {
        typealias Key = ServingMemory.Key
        func count(_ name: String) throws(JSONShapeError) -> Int {
            let number = try view.required(name)
            guard try number.int >= 0 else { throw number.refuse("a count") }
            return try number.int
        }
        let readings = try view.required(Key.readings)
        guard try readings.ints.count == 9, try readings.ints.allSatisfy({ $0 >= 0 }) else {
            throw readings.refuse("nine counts")
        }
        let remaining = try view.required(Key.remaining)
        guard try (0...3.2e8).contains(remaining.double) else { throw remaining.refuse("seconds") }
        let difference = try view.required(Key.difference)
        guard try difference.double >= 0 else { throw difference.refuse("a sum of differences") }
        self.init(
            second: try ServingMemory.Version(view),
            mode: try view.required(Key.mode).string,
            remainingSeconds: try remaining.double,
            comparison: TrialComparison(
                readings: try readings.ints,
                disagreements: try count(Key.disagreements),
                failures: try count(Key.failures),
                difference: try difference.double
            )
        )
    }
}
