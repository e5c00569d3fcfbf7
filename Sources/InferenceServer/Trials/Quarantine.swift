// SPDX-License-Identifier: MIT

internal import Features
internal import JSON
internal import ModelRuntime
internal import Platform

/// Versions that misbehaved in service, which are not taken again: by the digest of their bundle.
///
/// With a state directory they stand in `quarantine.json` there, which is read again at every look
/// at the models: who deletes it, or an entry of it, lifts the quarantine. Without one they are
/// forgotten at the end of the process.
///
/// - Note: Thread-safe; the file is read and written on the queue that follows the models.
final class Quarantine: Sendable {
    /// A version and why it is there.
    struct Entry: Sendable, Equatable {
        let version: String
        /// The SHA-256 of its `SHA256SUMS`, in hexadecimal digits.
        let digest: String
        let reason: String
        /// Microseconds since the epoch.
        let time: Int64
        /// The version that serves in its place; nil where it was a challenger.
        let previous: String?
    }

    private struct State {
        var entries: [Entry] = []
        /// Whether the file does not hold what is known here.
        var isUnsaved = false
    }

    static let fileName = "quarantine.json"
    static let format = 1
    /// Versions that are remembered; the oldest go first.
    static let countMax = 100
    /// Bytes of the file: ten thousand for each version.
    static let bytesMax = 1 << 20

    /// The file; nil where there is no state directory.
    let path: String?
    private let state = Lock(State())

    init(stateDirectory: String?) {
        path = stateDirectory.map { "\($0)/\(Self.fileName)" }
    }

    /// The versions, the latest last.
    var entries: [Entry] { state.withLock { $0.entries } }

    /// Why a bundle is not taken; nil where nothing speaks against it.
    func entry(ofDigest digest: String) -> Entry? { entries.last { $0.digest == digest } }

    /// Reads the file again; what cannot be read changes nothing.
    ///
    /// - Returns: What is wrong with it; nil where nothing is.
    func reload() -> String? {
        guard let path, !state.withLock({ $0.isUnsaved }) else { return nil }
        do {
            let entries = try Self.read(path)
            state.withLock { $0.entries = entries }
            return nil
        } catch {
            return "\(path): \(error)"
        }
    }

    /// Takes a version in.
    ///
    /// - Returns: Why it could not be written down; nil where it could or nobody wants it.
    func add(_ entry: Entry) -> String? {
        let entries = state.withLock { state in
            state.entries.removeAll { $0.digest == entry.digest }
            state.entries = Array((state.entries + [entry]).suffix(Self.countMax))
            return state.entries
        }
        guard let path else { return nil }
        let text = Self.json(entries).serialized(isPretty: true)
        do throws(FileError) {
            try FileAccess.replace(path, with: text)
            state.withLock { $0.isUnsaved = false }
            return nil
        } catch {
            // The file must not lift what it never held.
            state.withLock { $0.isUnsaved = true }
            return "\(error)"
        }
    }

    private static func read(_ path: String) throws -> [Entry] {
        guard try FileAccess.status(of: path) != nil else { return [] }
        let bytes = try FileAccess.readRegular(path, byteCountMax: bytesMax)
        let json = JSONView(try JSONValue.parse(bytes))
        try json.checkFormat(format, keys: ["models"])
        return try json.required("models").array.suffix(countMax).map { view in
            Entry(
                version: try view.required("version").string,
                digest: try view.required("sha256sums_digest").string,
                reason: try view.required("reason").string,
                time: try view.required("time").timestamp,
                previous: try view.optional("previous")?.string
            )
        }
    }

    private static func json(_ entries: [Entry]) -> JSONValue {
        ["format": .integer(format), "models": .array(entries.map(\.json))]
    }
}

extension Quarantine.Entry {
    /// The entry as it stands in the file and in `/model/info`.
    var json: JSONValue {
        var object = JSONObject()
        object["version"] = .string(version)
        object["sha256sums_digest"] = .string(digest)
        object["reason"] = .string(reason)
        object["time"] = .string(Timestamp.text(time))
        object["previous"] = previous.map(JSONValue.string)
        return .object(object)
    }
}
