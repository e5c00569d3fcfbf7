// SPDX-License-Identifier: MIT

internal import Platform

/// Where a bundle is, and what it must say of itself where its place says so.
package struct BundleLocation: Equatable, Sendable {
    /// The bundle's directory.
    package var path: String
    /// The model that it is found under; nil where any will do.
    package var model: String?
    /// The version that it is found under; nil where any will do.
    package var version: BundleVersion?

    /// Describes a place.
    package init(path: String, model: String? = nil, version: BundleVersion? = nil) {
        self.path = path
        self.model = model
        self.version = version
    }
}

/// Finds bundles below MODEL_DIR, which may be the root of all models, one model's folder or one
/// bundle; what it is is looked up anew each time, since it may appear and change.
package struct ModelDirectory: Equatable, Sendable {
    private enum Kind {
        case bundle
        case model(path: String, name: String?)
    }

    /// MODEL_DIR.
    package let path: String
    /// The model's name; nil for the only one there.
    package let model: String?

    /// Describes where to look.
    package init(path: String, model: String? = nil) {
        self.path = path
        self.model = model
    }

    /// The bundles that may serve, the preferred one first: where it is refused, the next one is to
    /// be tried.
    ///
    /// These are the registry's champion and the versions before it, the newest first; without a
    /// registry all versions.
    ///
    /// - Throws: ``ModelDirectoryError``; the list is never empty.
    package func candidates() throws(ModelDirectoryError) -> [BundleLocation] {
        guard case .model(let folder, let name) = try kind() else {
            return [BundleLocation(path: path, model: model)]
        }
        var versions = try ModelFolder.versions(in: folder)
        if let champion = try ModelFolder.registry(in: folder)?.champion {
            guard versions.contains(champion) else {
                let registry = "\(folder)/\(ModelRegistry.fileName)"
                throw .unknownChampion(champion, path: registry)
            }
            versions.removeAll { $0 > champion }
        }
        guard !versions.isEmpty else { throw .noModel(path: folder) }
        return versions.sorted(by: >).map { version in
            BundleLocation(path: "\(folder)/\(version)", model: name, version: version)
        }
    }

    /// The version that is to be tried beside the champion, and how; nil for none.
    ///
    /// - Throws: ``ModelDirectoryError``.
    package func challenger() throws(ModelDirectoryError) -> (
        location: BundleLocation, mode: ModelRegistry.Challenger.Mode
    )? {
        guard case .model(let path, let name) = try kind() else { return nil }
        let folder = ModelFolder(path: path, model: name)
        guard let challenger = try folder.registry()?.challenger else { return nil }
        return (folder.location(of: challenger.version), challenger.mode)
    }

    /// Whether the registry says that a version's answers are meant to be shifted.
    ///
    /// Where that cannot be read, nobody has said so.
    package func allowsShift(of version: BundleVersion?) -> Bool {
        guard let version, let folder = try? modelFolder(), let registry = try? folder.registry()
        else { return false }
        return registry.allows(.shift, of: version)
    }

    /// The folder of the model's versions, for whoever acts on them.
    ///
    /// - Throws: ``ModelDirectoryError``, also where the path is one bundle.
    package func modelFolder() throws(ModelDirectoryError) -> ModelFolder {
        guard case .model(let folder, let name) = try kind() else { throw .noModel(path: path) }
        return ModelFolder(path: folder, model: name)
    }

    /// A value that changes when ``candidates()`` may: from names, sizes, inodes and times alone,
    /// so that a watcher can ask every two seconds.
    ///
    /// Take it before the candidates, so that what changes in between is seen the next time. What
    /// cannot be looked at counts as absent. `others` are files beside the models that count too.
    package func fingerprint(with others: [String] = []) -> UInt64 {
        var hash = StatusHash()
        for other in others { hash.add(other) }
        hash.add(path)
        hash.add("\(path)/\(BundleFile.sums)")
        hash.add("\(path)/\(BundleFile.signature)")
        hash.add("\(path)/\(ModelRegistry.fileName)")
        guard let kind = try? kind(), case .model(let folder, _) = kind else { return hash.value }
        hash.add(folder)
        hash.add("\(folder)/\(ModelRegistry.fileName)")
        for version in (try? ModelFolder.versions(in: folder)) ?? [] {
            hash.add("\(folder)/\(version)")
            hash.add("\(folder)/\(version)/\(BundleFile.sums)")
            hash.add("\(folder)/\(version)/\(BundleFile.signature)")
        }
        return hash.value
    }

    private func kind() throws(ModelDirectoryError) -> Kind {
        guard try ModelFolder.isDirectory(path) else { throw .missing(path: path) }
        let names = try ModelFolder.list(path)
        if names.contains(BundleFile.sums) || names.contains(BundleFile.manifest) {
            return .bundle
        }
        if try Self.isModelFolder(path, names) { return .model(path: path, name: model) }
        if let model, Manifest.isModelName(model), names.contains(model) {
            // Found without a look at its neighbours, which may be unreadable or half copied.
            let folder = "\(path)/\(model)"
            if try Self.isModelFolder(folder) { return .model(path: folder, name: model) }
        }
        var models: [String] = []
        for name in names where Manifest.isModelName(name) {
            if try Self.isModelFolder("\(path)/\(name)") { models.append(name) }
        }
        guard let first = models.first else { throw .noModel(path: path) }
        if let model { throw .unknownModel(model, path: path, models: models) }
        guard models.count == 1 else { throw .severalModels(path: path, models: models) }
        return .model(path: "\(path)/\(first)", name: first)
    }

    private static func isModelFolder(_ path: String) throws(ModelDirectoryError) -> Bool {
        guard try ModelFolder.isDirectory(path) else { return false }
        return try isModelFolder(path, try ModelFolder.list(path))
    }

    private static func isModelFolder(
        _ path: String,
        _ names: [String]
    ) throws(ModelDirectoryError) -> Bool {
        if names.contains(ModelRegistry.fileName) { return true }
        for name in names where BundleVersion(name) != nil {
            if try ModelFolder.isDirectory("\(path)/\(name)") { return true }
        }
        return false
    }
}

/// FNV-1a over the identity and age of files.
private struct StatusHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ path: String) {
        for byte in path.utf8 { add(UInt64(byte)) }
        guard let status = try? FileAccess.status(of: path) else { return add(0) }
        add(status.inode)
        add(UInt64(bitPattern: status.byteCount))
        add(UInt64(bitPattern: status.modifiedNanoseconds))
    }

    private mutating func add(_ word: UInt64) { value = (value ^ word) &* 0x0000_0100_0000_01B3 }
}
