// SPDX-License-Identifier: MIT

internal import Features
package import Integrity
internal import JSON
internal import Platform

/// Reads and verifies bundles of format 1.
///
/// Each file is read once; the bytes that were hashed are the bytes that are parsed.
package enum BundleReader {
    /// Loads a bundle: sums, sizes, shapes, finiteness and golden answers are right, or it throws.
    ///
    /// With keys, its sums also have to be signed by one of them. `willTest` is called before the
    /// golden cases, which come last.
    ///
    /// - Throws: ``BundleError`` naming the file.
    /// - Complexity: O(bytes of the bundle), plus a forward pass and its history per golden case.
    package static func load(
        path: String,
        signedBy keys: [Ed25519PublicKey] = [],
        limits: BundleLimits = BundleLimits(),
        willTest: () -> Void = {}
    ) throws(BundleError) -> LoadedModel {
        var files = try BundleFiles(path, signedBy: keys, limits: limits)
        let manifest = try Manifest(files.take(BundleFile.manifest))
        let engine: FeatureEngine
        do throws(SpecError) {
            engine = try FeatureEngine(manifest.transform)
        } catch {
            throw .transform(error)
        }
        let network = try network(files.take(BundleFile.weights), manifest, limits)
        let fleet: FleetCounts?
        do throws(SafeTensorsError) {
            fleet = try ReferenceData(
                files.take(BundleFile.reference),
                featureCount: manifest.transform.features.count,
                limits: limits
            ).fleet
        } catch {
            throw .tensors(file: BundleFile.reference, error)
        }
        let evaluation = try BundleFile.parse(
            files.take(BundleFile.evaluation),
            of: BundleFile.evaluation
        )
        _ = try BundleFile.decode(BundleFile.evaluation) { () throws(JSONShapeError) in
            try evaluation.object
        }
        let cases = try GoldenCase.read(
            files.take(BundleFile.golden),
            transform: manifest.transform,
            limits: limits
        )
        let explainer = try explainer(&files, manifest, engine, network, limits)
        willTest()
        for (index, golden) in cases.enumerated() {
            try golden.check(
                index: index,
                engine: engine,
                network: network,
                calibration: manifest.calibration
            )
        }
        return LoadedModel(
            manifest: manifest,
            engine: engine,
            network: network,
            explainer: explainer,
            fleet: fleet,
            digest: files.digest,
            path: path
        )
    }

    /// The names of the files that a bundle's sums are of, plain names all of them.
    ///
    /// - Throws: ``BundleError`` where these are no sums.
    package static func fileNames(inSums bytes: [UInt8]) throws(BundleError) -> [String] {
        try Checksums(bytes).digests.map(\.name)
    }

    /// What explains the model's predictions; nil where the bundle has no background.
    private static func explainer(
        _ files: inout BundleFiles,
        _ manifest: Manifest,
        _ engine: FeatureEngine,
        _ network: Network,
        _ limits: BundleLimits
    ) throws(BundleError) -> Explainer? {
        guard files.has(BundleFile.background) else { return nil }
        return Explainer(
            engine: engine,
            network: network,
            calibration: manifest.calibration,
            background: try BackgroundRecord.read(
                files.take(BundleFile.background),
                transform: manifest.transform,
                limits: limits
            )
        )
    }

    /// Loads a bundle that was found by name, and checks that it says the same of itself.
    ///
    /// - Throws: ``BundleError`` naming the file.
    package static func load(
        _ location: BundleLocation,
        signedBy keys: [Ed25519PublicKey] = [],
        limits: BundleLimits = BundleLimits(),
        willTest: () -> Void = {}
    ) throws(BundleError) -> LoadedModel {
        let loaded = try load(
            path: location.path,
            signedBy: keys,
            limits: limits,
            willTest: willTest
        )
        if let model = location.model, loaded.manifest.model != model {
            throw .manifest(what: "model", why: "\(loaded.manifest.model) in the place of \(model)")
        }
        if let version = location.version, loaded.manifest.version != version {
            throw .manifest(
                what: "version",
                why: "\(loaded.manifest.version) in the place of \(version)"
            )
        }
        return loaded
    }

    private static func network(
        _ bytes: [UInt8],
        _ manifest: Manifest,
        _ limits: BundleLimits
    ) throws(BundleError) -> Network {
        let members: [[LayerTensors]]
        do throws(SafeTensorsError) {
            members = try LayerTensors.read(
                bytes,
                of: manifest.layers,
                memberCount: manifest.memberCount,
                limits: limits
            )
        } catch {
            throw .tensors(file: BundleFile.weights, error)
        }
        do throws(NetworkError) {
            return try Network(layers: manifest.layers, members: members)
        } catch {
            throw .network(error)
        }
    }
}

/// The files of a bundle as they were read, each with the right sum.
struct BundleFiles {
    /// The SHA-256 of `SHA256SUMS`.
    let digest: Digest
    private var bytes: [String: [UInt8]] = [:]

    init(
        _ path: String,
        signedBy keys: [Ed25519PublicKey],
        limits: BundleLimits
    ) throws(BundleError) {
        let names: [String]
        do throws(FileError) { names = try FileAccess.list(path) } catch { throw .file(error) }
        guard names.count <= limits.filesMax else {
            throw .fileCount(count: names.count, limit: limits.filesMax)
        }
        guard names.contains(BundleFile.sums) else { throw .missing(file: BundleFile.sums) }
        let sumsBytes = try Self.read(BundleFile.sums, in: path, limits)
        // Nothing of a stranger's bundle is parsed.
        if !keys.isEmpty {
            guard names.contains(BundleFile.signature) else { throw .unsigned }
            let signature = try Self.read(BundleFile.signature, in: path, limits)
            guard keys.contains(where: { $0.verifies(signature, of: sumsBytes) }) else {
                throw .signature
            }
        }
        digest = SHA256.digest(of: sumsBytes)
        let sums = try Checksums(sumsBytes)
        let listed = Set(sums.digests.map(\.name))
        for name in names where name != BundleFile.sums && name != BundleFile.signature {
            guard listed.contains(name) else { throw .unlisted(file: name) }
        }
        for name in BundleFile.required where !listed.contains(name) {
            throw .missing(file: name)
        }
        for (name, digest) in sums.digests {
            guard names.contains(name) else { throw .missing(file: name) }
            let content = try Self.read(name, in: path, limits)
            guard SHA256.digest(of: content) == digest else { throw .digest(file: name) }
            if BundleFile.required.contains(name) || name == BundleFile.background {
                bytes[name] = content
            }
        }
    }

    /// Whether the bytes of a file are there.
    func has(_ name: String) -> Bool { bytes[name] != nil }

    /// Gives the bytes of a file away, once.
    mutating func take(_ name: String) -> [UInt8] { bytes.removeValue(forKey: name) ?? [] }

    private static func read(
        _ name: String,
        in directory: String,
        _ limits: BundleLimits
    ) throws(BundleError) -> [UInt8] {
        let path = "\(directory)/\(name)"
        let limit = limits.bytesMax(of: name)
        let status: FileStatus?
        do throws(FileError) { status = try FileAccess.status(of: path) } catch {
            throw .file(error)
        }
        guard status != nil else { throw .missing(file: name) }
        do throws(FileError) {
            return try FileAccess.readRegular(path, byteCountMax: limit)
        } catch .tooLarge {
            throw .tooLarge(file: name, limit: limit)
        } catch .notRegular {
            throw .notAFile(file: name)
        } catch {
            throw .file(error)
        }
    }
}
