// SPDX-License-Identifier: MIT

internal import JSON
package import ModelRuntime
internal import Platform

/// Changes the registry of a model's folder, one change at a time.
///
/// A lock file keeps two changes apart; readers need none, since the file is replaced by rename.
package struct RegistryStore: ~Copyable {
    /// Beside the versions; a name that is no version's.
    private static let lockName = "registry.lock"

    private let folder: ModelFolder
    private let lock: FileLock

    /// Takes the lock of a model's folder.
    ///
    /// - Throws: ``TrainingError``, also where another change is under way.
    package init(_ folder: ModelFolder) throws(TrainingError) {
        lock = try Self.lock(folder.path)
        self.folder = folder
    }

    private static func lock(_ path: String) throws(TrainingError) -> FileLock {
        do throws(FileError) {
            let lock = try FileLock("\(path)/\(lockName)")
            if try lock.take() { return lock }
        } catch {
            throw .file(error)
        }
        throw .unusable("\(path): another change is under way")
    }

    /// Makes a verified version the champion.
    ///
    /// `note.allowed` names the differences to the champion that are meant to be.
    ///
    /// - Throws: ``TrainingError``, also for a change of what answers mean that is not allowed.
    package func promote(
        _ version: BundleVersion,
        _ note: ModelRegistry.Note
    ) throws(TrainingError) {
        let model = try load(version)
        let metrics = model.manifest.evaluation
        guard var registry = try current() else {
            return try begin(version, metrics, model, note)
        }
        try check(model, against: registry.champion, allowing: note.allowed)
        try change { () throws(RegistryError) in
            try registry.promote(version, metrics: metrics, note)
        }
        try write(registry)
    }

    /// Makes the version before the champion champion again.
    ///
    /// - Returns: That version.
    /// - Throws: ``TrainingError``, also where it no longer verifies.
    package func rollBack(_ note: ModelRegistry.Note) throws(TrainingError) -> BundleVersion {
        guard var registry = try current() else {
            throw .unusable("\(folder.path): there is no registry, so there is no way back")
        }
        guard let version = registry.predecessor else {
            throw .unusable(
                "\(folder.registryPath): \(RegistryError.noPredecessor(registry.champion))"
            )
        }
        let metrics = try load(version).manifest.evaluation
        try change { () throws(RegistryError) in
            try registry.rollBack(metrics: metrics, note)
        }
        try write(registry)
        return version
    }

    /// Tries a verified version beside the champion.
    ///
    /// - Throws: ``TrainingError``.
    package func challenge(
        _ challenger: ModelRegistry.Challenger,
        _ note: ModelRegistry.Note
    ) throws(TrainingError) {
        let model = try load(challenger.version)
        let metrics = model.manifest.evaluation
        var registry = try currentOrNewest(note)
        // Its answers are compared with the champion's, reading by reading.
        try check(model, against: registry.champion, allowing: [])
        try change { () throws(RegistryError) in
            try registry.challenge(challenger, metrics: metrics, note)
        }
        try write(registry)
    }

    /// Ends the trial of the challenger.
    ///
    /// - Throws: ``TrainingError``, also where there is none.
    package func withdraw(_ note: ModelRegistry.Note) throws(TrainingError) {
        guard var registry = try current() else {
            throw .unusable("\(folder.path): \(RegistryError.noChallenger)")
        }
        try change { () throws(RegistryError) in try registry.withdraw(note) }
        try write(registry)
    }

    private func begin(
        _ version: BundleVersion,
        _ metrics: JSONObject,
        _ model: LoadedModel,
        _ note: ModelRegistry.Note
    ) throws(TrainingError) {
        var registry = try currentOrNewest(note)
        if registry.champion != version {
            try check(model, against: registry.champion, allowing: note.allowed)
            try change { () throws(RegistryError) in
                try registry.promote(version, metrics: metrics, note)
            }
        }
        try write(registry)
    }

    /// The registry, or one that names what serves where there is none: the newest version.
    private func currentOrNewest(
        _ note: ModelRegistry.Note
    ) throws(TrainingError) -> ModelRegistry {
        if let registry = try current() { return registry }
        let newest = try reading { () throws(ModelDirectoryError) in try folder.versions().first }
        guard let newest else { throw .unusable("\(folder.path): no version is there") }
        let metrics = try load(newest).manifest.evaluation
        return ModelRegistry(champion: newest, metrics: metrics, note)
    }

    private func current() throws(TrainingError) -> ModelRegistry? {
        try reading { () throws(ModelDirectoryError) in try folder.registry() }
    }

    private func load(_ version: BundleVersion) throws(TrainingError) -> LoadedModel {
        try BundleReader.open(folder.location(of: version))
    }

    private func check(
        _ model: LoadedModel,
        against champion: BundleVersion,
        allowing allowed: [ModelDifference.Kind]
    ) throws(TrainingError) {
        guard champion != model.manifest.version else { return }
        let differences = ModelDifference.between(try load(champion).manifest, model.manifest)
        let breaking = differences.filter { $0.kind.isBreaking && !allowed.contains($0.kind) }
        guard let first = breaking.first else { return }
        throw .unusable(
            "\(model.path): \(first.kind.rawValue): \(first.text), against champion \(champion);"
                + " --allow \(first.kind.rawValue) where that is meant"
        )
    }

    private func write(_ registry: ModelRegistry) throws(TrainingError) {
        try JSONFile.write(registry.json, to: folder.registryPath)
    }

    private func change(_ body: () throws(RegistryError) -> Void) throws(TrainingError) {
        do throws(RegistryError) {
            try body()
        } catch {
            throw .unusable("\(folder.registryPath): \(error)")
        }
    }

    private func reading<Result>(
        _ body: () throws(ModelDirectoryError) -> Result
    ) throws(TrainingError) -> Result {
        do throws(ModelDirectoryError) {
            return try body()
        } catch {
            throw .unusable("\(error)")
        }
    }
}
