// SPDX-License-Identifier: MIT

internal import Drift
internal import Features
internal import JSON
internal import ModelRuntime
internal import Platform

/// What is known of drift, in `drift-window.json` of the state directory, so that a restart goes on
/// with it.
///
/// It is written when a window ends, and when the process does, then with the window that was being
/// gathered. A kill loses what has been gathered since the last window.
struct DriftMemory: Sendable {
    /// What is kept of one model's windows.
    struct Kept: Equatable, Sendable {
        /// A window that has ended, or is being gathered.
        struct Window: Equatable, Sendable {
            /// Microseconds since the epoch; the end of one that is being gathered is when that
            /// was written down.
            var start: Int64
            var end: Int64
            /// How long it has lasted on the monotonic clock.
            var seconds: Double
            var counts: ReadingCounts
            var sketch: FleetSketch
        }

        var raised = DriftState()
        var windowCount = 0
        var last: Window?
        var gathered: Window?
    }

    static let fileName = "drift-window.json"
    static let format = 1
    /// Bytes of the file: 64 MiB hold two windows of ten thousand features.
    static let bytesMax = 64 << 20

    /// The file; nil where there is no state directory.
    let path: String?

    init(stateDirectory: String?) {
        path = stateDirectory.map { "\($0)/\(Self.fileName)" }
    }

    /// What is kept of a model with this digest, whose sketches have this shape and which has so
    /// many flags; nil where that is nothing, or of another model.
    func read(digest: String, shape: SketchShape, flagCount: Int) throws -> Kept? {
        guard let path, try FileAccess.status(of: path) != nil else { return nil }
        let bytes = try FileAccess.readRegular(path, byteCountMax: Self.bytesMax)
        let json = JSONView(try JSONValue.parse(bytes))
        try json.checkFormat(Self.format, keys: [Key.digest, Key.last, Key.gathered])
        guard try json.required(Key.digest).string == digest else { return nil }
        var drifted: [Bool] = []
        for view in try json.required(Key.drifted).array { drifted.append(try view.bool) }
        let count = try json.required(Key.windowCount)
        guard try count.int >= 0 else { throw count.refuse("a count") }
        func window(_ name: String) throws(JSONShapeError) -> Kept.Window? {
            guard let view = try json.optional(name) else { return nil }
            return try Kept.Window(view, shape: shape, flagCount: flagCount)
        }
        return Kept(
            raised: DriftState(
                isRaised: try json.required(Key.raised).bool,
                lastDrifted: drifted
            ),
            windowCount: try count.int,
            last: try window(Key.last),
            gathered: try window(Key.gathered)
        )
    }

    /// Writes it down.
    ///
    /// - Throws: `FileError`.
    func write(_ kept: Kept, digest: String) throws(FileError) {
        guard let path else { return }
        let json: JSONValue = [
            "format": .integer(Self.format),
            Key.digest: .string(digest),
            Key.raised: .bool(kept.raised.isRaised),
            Key.drifted: .array(kept.raised.lastDrifted.map(JSONValue.bool)),
            Key.windowCount: .integer(kept.windowCount),
            Key.last: kept.last?.json ?? .null,
            Key.gathered: kept.gathered?.json ?? .null,
        ]
        try FileAccess.replace(path, with: json.serialized())
    }

    fileprivate enum Key {
        static let digest = "sha256sums_digest"
        static let raised = "raised"
        static let drifted = "last_drifted"
        static let windowCount = "windows"
        static let last = "last"
        static let gathered = "gathered"
        static let start = "start"
        static let end = "end"
        static let seconds = "seconds"
        static let readings = "readings"
        static let flags = "flags"
        static let late = "late"
        static let stale = "stale"
        static let duplicate = "duplicate"
        static let sketch = "sketch"
    }
}

extension DriftMemory.Kept.Window {
    private typealias Key = DriftMemory.Key

    fileprivate init(
        _ view: JSONView,
        shape: SketchShape,
        flagCount: Int
    ) throws(JSONShapeError) {
        func count(_ name: String) throws(JSONShapeError) -> Int {
            let number = try view.required(name)
            guard try number.int >= 0 else { throw number.refuse("a count") }
            return try number.int
        }
        let flags = try view.required(Key.flags)
        guard try flags.ints.count == flagCount, try flags.ints.allSatisfy({ $0 >= 0 }) else {
            throw flags.refuse("\(flagCount) counts")
        }
        let seconds = try view.required(Key.seconds)
        // A century, which is more than any window may last.
        guard try (0...3.2e9).contains(seconds.double) else { throw seconds.refuse("seconds") }
        self.init(
            start: try view.required(Key.start).timestamp,
            end: try view.required(Key.end).timestamp,
            seconds: try seconds.double,
            counts: ReadingCounts(
                readings: try count(Key.readings),
                flags: try flags.ints,
                late: try count(Key.late),
                stale: try count(Key.stale),
                duplicate: try count(Key.duplicate)
            ),
            sketch: try FleetSketch(shape, json: view.required(Key.sketch))
        )
    }

    fileprivate var json: JSONValue {
        [
            Key.start: .string(Timestamp.text(start)),
            Key.end: .string(Timestamp.text(end)),
            Key.seconds: .number(seconds),
            Key.readings: .integer(counts.readings),
            Key.flags: .array(counts.flags.map(JSONValue.integer)),
            Key.late: .integer(counts.late),
            Key.stale: .integer(counts.stale),
            Key.duplicate: .integer(counts.duplicate),
            Key.sketch: sketch.json,
        ]
    }
}
