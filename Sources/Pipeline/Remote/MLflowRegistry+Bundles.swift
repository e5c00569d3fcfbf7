// SPDX-License-Identifier: MIT

import Integrity
import JSON
import ModelRuntime
import Platform
import Training

extension MLflowRegistry {
    /// The folder of a run's artifacts that holds a bundle's files.
    private static let folder = "bundle"

    /// Stores a bundle as a version of its model, unless it is there.
    ///
    /// - Returns: Its number.
    /// - Throws: ``TrainingError``, also where another bundle has that version.
    func push(_ bundle: LoadedModel) throws(TrainingError) -> String {
        let manifest = bundle.manifest
        let version = "\(manifest.version)"
        if let entry = try entries(of: manifest.model).last(where: { $0.version == version }) {
            guard entry.digest == bundle.digest.hex else {
                throw .unusable(
                    "\(manifest.model) \(version): the remote registry has another bundle of it,"
                        + " version \(entry.number)"
                )
            }
            return entry.number
        }
        let files = try Self.files(of: bundle)
        try register(manifest.model)
        let run = try beginRun(named: "\(manifest.model) \(version)", milliseconds: Self.now)
        let source = "\(run.artifacts)/\(Self.folder)"
        for (name, bytes) in files { try upload(bytes, to: source, name: name) }
        let metrics = manifest.evaluation.members.compactMap { name, value in
            if case .number(let number) = value { (name: name, value: number) } else { nil }
        }
        try endRun(run.id, metrics: metrics, milliseconds: Self.now)
        return try addVersion(
            of: manifest.model,
            source: source,
            run: run.id,
            tags: [
                (Entry.versionTag, version), (Entry.digestTag, bundle.digest.hex),
                ("pdm.framework", manifest.framework),
            ]
        )
    }

    /// Fetches a version's files into `<directory>/<model>/<version>/` and verifies them; what is
    /// there with the same sums stays as it is.
    ///
    /// - Returns: The bundle, and whether it was fetched.
    /// - Throws: ``TrainingError``; then nothing has the bundle's name that had it not before.
    func pull(
        _ model: String,
        number: String,
        to directory: String
    ) throws(TrainingError) -> (bundle: LoadedModel, isNew: Bool) {
        let limits = BundleLimits()
        let source = try source(of: model, number: number)
        var files: [(name: String, bytes: [UInt8])] = []
        func fetch(_ name: String, isOptional: Bool = false) throws(TrainingError) -> [UInt8] {
            let bytesMax = limits.bytesMax(of: name)
            let bytes = try download(from: source, name: name, bytesMax: bytesMax)
            guard let bytes else {
                if isOptional { return [] }
                throw .unusable("\(model), version \(number): it has no \(name)")
            }
            files.append((name, bytes))
            return bytes
        }
        let sums = try fetch(BundleFile.sums)
        let manifestBytes = try fetch(BundleFile.manifest)
        do throws(BundleError) {
            let manifest = try Manifest(manifestBytes)
            guard manifest.model == model else {
                throw .manifest(what: "model", why: "\(manifest.model) in the place of \(model)")
            }
            let path = "\(directory)/\(model)/\(manifest.version)"
            if (try? FileAccess.status(of: path)) != nil {
                let bundle = try BundleReader.load(path: path, limits: limits)
                guard bundle.digest == SHA256.digest(of: sums) else { throw .exists(path: path) }
                return (bundle, false)
            }
        } catch {
            throw .unusable("\(model), version \(number): \(error)")
        }
        _ = try fetch(BundleFile.signature, isOptional: true)
        for name in try Self.names(sums) where name != BundleFile.manifest { _ = try fetch(name) }
        do throws(BundleError) {
            return (try BundleWriter.install(files, in: directory, limits: limits), true)
        } catch {
            throw .unusable("\(model), version \(number): \(error)")
        }
    }

    private static func names(_ sums: [UInt8]) throws(TrainingError) -> [String] {
        do throws(BundleError) {
            return try BundleReader.fileNames(inSums: sums)
        } catch {
            throw .unusable("\(error)")
        }
    }

    private static func files(
        of bundle: LoadedModel
    ) throws(TrainingError) -> [(name: String, bytes: [UInt8])] {
        do throws(FileError) {
            var files: [(name: String, bytes: [UInt8])] = []
            for name in try FileAccess.list(bundle.path) {
                files.append((name, try FileAccess.read("\(bundle.path)/\(name)")))
            }
            return files
        } catch {
            throw .file(error)
        }
    }

    /// Milliseconds since the epoch.
    private static var now: Int64 { WallClock.system.nowMicroseconds / 1000 }
}
