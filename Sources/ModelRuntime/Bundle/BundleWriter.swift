// SPDX-License-Identifier: MIT

internal import Features
package import JSON
internal import Platform

/// All that a bundle holds.
package struct BundleContents: Sendable {
    /// What the model is.
    package var manifest: Manifest
    /// Each member's tensors of the manifest's layers.
    package var members: [[LayerTensors]]
    /// What training rows looked like.
    package var reference: ReferenceData
    /// The self-test, at least one case.
    package var golden: [GoldenCase]
    /// What explanations compare with; without any, the model explains nothing.
    package var background: [BackgroundRecord]
    /// The whole evaluation.
    package var evaluation: JSONObject

    /// Gathers the contents; ``BundleWriter`` says whether they fit.
    package init(
        manifest: Manifest,
        members: [[LayerTensors]],
        reference: ReferenceData,
        golden: [GoldenCase],
        background: [BackgroundRecord] = [],
        evaluation: JSONObject
    ) {
        self.manifest = manifest
        self.members = members
        self.reference = reference
        self.golden = golden
        self.background = background
        self.evaluation = evaluation
    }

    /// The files and their bytes, sorted by name; equal contents give equal bytes.
    fileprivate var files: [(name: String, bytes: [UInt8])] {
        let schema = manifest.transform.schema
        let lent = BackgroundRecord.json(background, schema: schema).serialized()
        return (background.isEmpty ? [] : [(BundleFile.background, lent)]) + [
            (BundleFile.evaluation, JSONValue.object(evaluation).serialized(isPretty: true)),
            (BundleFile.golden, GoldenCase.json(golden, schema: schema).serialized()),
            (BundleFile.manifest, manifest.json.serialized(isPretty: true)),
            (BundleFile.reference, reference.bytes),
            (BundleFile.weights, LayerTensors.bytes(members, of: manifest.layers)),
        ]
    }
}

/// Writes bundles of format 1: whole and verified, or not at all.
package enum BundleWriter {
    /// Writes `<directory>/<model>/<version>/` under a temporary name, syncs it, loads it as a
    /// server would, and renames it.
    ///
    /// - Returns: The bundle as it was loaded, with the path of its final place.
    /// - Throws: ``BundleError``; then nothing has the bundle's name that had it not before.
    package static func write(
        _ contents: BundleContents,
        to directory: String,
        limits: BundleLimits = BundleLimits()
    ) throws(BundleError) -> LoadedModel {
        try contents.manifest.validate()
        let files = contents.files
        let sums = (BundleFile.sums, Checksums(of: files).bytes)
        return try place(files + [sums], of: contents.manifest, in: directory, limits)
    }

    /// Puts the files of a bundle that was made elsewhere, its sums among them, into
    /// `<directory>/<model>/<version>/` as its manifest says, in the same way.
    ///
    /// - Throws: ``BundleError`` as ``write(_:to:limits:)``, also where it does not verify.
    package static func install(
        _ files: [(name: String, bytes: [UInt8])],
        in directory: String,
        limits: BundleLimits = BundleLimits()
    ) throws(BundleError) -> LoadedModel {
        let manifest = files.first { $0.name == BundleFile.manifest }
        return try place(files, of: try Manifest(manifest?.bytes ?? []), in: directory, limits)
    }

    private static func place(
        _ files: [(name: String, bytes: [UInt8])],
        of manifest: Manifest,
        in directory: String,
        _ limits: BundleLimits
    ) throws(BundleError) -> LoadedModel {
        let folder = "\(directory)/\(manifest.model)"
        let path = "\(folder)/\(manifest.version)"
        // A name that begins with a dot is no version, so no server takes it for a bundle.
        let temporary = "\(folder)/.\(manifest.version).tmp"
        let isThere = try wrap { () throws(FileError) in
            try FileAccess.makeDirectory(folder)
            try FileAccess.remove(temporary)
            return try FileAccess.status(of: path) != nil
        }
        guard !isThere else { throw .exists(path: path) }
        do throws(BundleError) {
            try write(files, to: temporary)
            let loaded = try BundleReader.load(path: temporary, limits: limits)
            try wrap { () throws(FileError) in try FileAccess.rename(temporary, to: path) }
            return loaded.moved(to: path)
        } catch {
            try? FileAccess.remove(temporary)
            throw error
        }
    }

    private static func write(
        _ files: [(name: String, bytes: [UInt8])],
        to directory: String
    ) throws(BundleError) {
        try wrap { () throws(FileError) in
            try FileAccess.makeDirectory(directory)
            for (name, bytes) in files { try FileAccess.write(bytes, to: "\(directory)/\(name)") }
            try FileAccess.syncDirectory(directory)
        }
    }

    private static func wrap<Value>(
        _ body: () throws(FileError) -> Value
    ) throws(BundleError) -> Value {
        do throws(FileError) { return try body() } catch { throw .file(error) }
    }
}
