// SPDX-License-Identifier: MIT

internal import Features
package import JSON

extension ModelRegistry {
    /// The file's name in the model's folder.
    package static let fileName = "registry.json"
    /// The number that the file carries as `format`.
    package static let format = 1
    /// Bytes of the file: 4 MiB hold some ten thousand changes.
    package static let bytesMax = 4 << 20

    fileprivate enum Key {
        static let champion = "champion"
        static let challenger = "challenger"
        static let history = "history"
        static let version = "version"
        static let mode = "mode"
        static let share = "share"
        static let shadow = "shadow"
        static let action = "action"
        static let previous = "previous"
        static let time = "time"
        static let author = "by"
        static let reason = "reason"
        static let metrics = "metrics"
        static let allowed = "allowed"
    }

    /// Reads a registry; unknown keys are ignored unless `requires` names them.
    ///
    /// - Throws: ``RegistryError``.
    package init(_ bytes: [UInt8]) throws(RegistryError) {
        let json: JSONView
        do throws(JSONError) {
            json = JSONView(try JSONValue.parse(bytes))
        } catch {
            throw .json(error)
        }
        do throws(JSONShapeError) {
            try self.init(decoding: json)
        } catch {
            throw .shape(error)
        }
    }

    private init(decoding json: JSONView) throws(JSONShapeError) {
        try json.checkFormat(Self.format, keys: [Key.champion, Key.challenger, Key.history])
        var history: [Event] = []
        for view in try json.optional(Key.history)?.array ?? [] {
            history.append(try Self.event(view))
        }
        self.init(
            champion: try Self.version(json.required(Key.champion)),
            challenger: try json.optional(Key.challenger).map(Self.challenger),
            history: history
        )
    }

    private static func version(_ view: JSONView) throws(JSONShapeError) -> BundleVersion {
        guard let version = BundleVersion(try view.string) else {
            throw view.refuse("YYYYMMDD_HHMMSS")
        }
        return version
    }

    private static func challenger(_ view: JSONView) throws(JSONShapeError) -> Challenger {
        let version = try version(view.required(Key.version))
        let mode = try view.required(Key.mode)
        switch try mode.string {
        case Key.shadow: return Challenger(version: version, mode: .shadow)
        case Key.share:
            let share = try view.required(Key.share)
            guard try share.double > 0, try share.double < 1 else {
                throw share.refuse("a number between 0 and 1")
            }
            return Challenger(version: version, mode: .share(try share.double))
        default: throw mode.refuse("shadow or share")
        }
    }

    private static func event(_ view: JSONView) throws(JSONShapeError) -> Event {
        let action = try view.required(Key.action)
        guard let known = Event.Action(rawValue: try action.string) else {
            throw action.refuse(Event.Action.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return Event(
            action: known,
            version: try version(view.required(Key.version)),
            previous: try view.optional(Key.previous).map(version),
            microseconds: try view.required(Key.time).timestamp,
            author: try view.required(Key.author).string,
            reason: try view.required(Key.reason).string,
            metrics: try view.optional(Key.metrics)?.object ?? JSONObject(),
            // What a later program knows beside these is none of ours.
            allowed: try view.optional(Key.allowed)?.strings.compactMap(DifferenceKind.init) ?? []
        )
    }

    /// The file's content.
    package var json: JSONValue {
        var object = JSONObject()
        object["format"] = .integer(Self.format)
        object[Key.champion] = .string("\(champion)")
        if let challenger {
            var trial = JSONObject()
            trial[Key.version] = .string("\(challenger.version)")
            switch challenger.mode {
            case .shadow: trial[Key.mode] = .string(Key.shadow)
            case .share(let share):
                trial[Key.mode] = .string(Key.share)
                trial[Key.share] = .number(share)
            }
            object[Key.challenger] = .object(trial)
        }
        object[Key.history] = .array(history.map(\.json))
        return .object(object)
    }
}

extension ModelRegistry.Event {
    /// The change as it stands in the file.
    package var json: JSONValue {
        typealias Key = ModelRegistry.Key
        var object = JSONObject()
        object[Key.time] = .string(Timestamp.text(microseconds))
        object[Key.action] = .string(action.rawValue)
        object[Key.version] = .string("\(version)")
        object[Key.previous] = previous.map { .string("\($0)") }
        object[Key.author] = .string(author)
        object[Key.reason] = .string(reason)
        if metrics.count > 0 { object[Key.metrics] = .object(metrics) }
        if !allowed.isEmpty {
            object[Key.allowed] = .array(allowed.map { .string($0.rawValue) })
        }
        return .object(object)
    }
}
