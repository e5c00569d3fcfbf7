// SPDX-License-Identifier: MIT

internal import Platform

/// The folder of one model: its versions, and the registry beside them.
package struct ModelFolder: Equatable, Sendable {
    /// The folder.
    package let path: String
    /// The model's name; nil where the folder was named itself and any will do.
    package let model: String?

    /// The registry's path.
    package var registryPath: String { "\(path)/\(ModelRegistry.fileName)" }

    /// The versions that are there, the newest first; what they hold is not looked at.
    ///
    /// - Throws: ``ModelDirectoryError``.
    package func versions() throws(ModelDirectoryError) -> [BundleVersion] {
        try Self.versions(in: path).sorted(by: >)
    }

    /// Links that have a version's name and lead nowhere, or in a circle: they are passed over.
    ///
    /// - Throws: ``ModelDirectoryError``.
    package func brokenLinks() throws(ModelDirectoryError) -> [String] {
        var links: [String] = []
        for name in try Self.list(path) where BundleVersion(name) != nil {
            let link = "\(path)/\(name)"
            do throws(FileError) {
                if try FileAccess.status(of: link) == nil { links.append(link) }
            } catch {
                throw .file(error)
            }
        }
        return links
    }

    /// The registry, or nil where there is none.
    ///
    /// - Throws: ``ModelDirectoryError``.
    package func registry() throws(ModelDirectoryError) -> ModelRegistry? {
        try Self.registry(in: path)
    }

    /// Where a version is and what it must say of itself.
    package func location(of version: BundleVersion) -> BundleLocation {
        BundleLocation(path: "\(path)/\(version)", model: model, version: version)
    }

    static func versions(in folder: String) throws(ModelDirectoryError) -> [BundleVersion] {
        var versions: [BundleVersion] = []
        for name in try list(folder) {
            guard let version = BundleVersion(name), try isDirectory("\(folder)/\(name)") else {
                continue
            }
            versions.append(version)
        }
        return versions
    }

    static func registry(in folder: String) throws(ModelDirectoryError) -> ModelRegistry? {
        let path = "\(folder)/\(ModelRegistry.fileName)"
        let bytes: [UInt8]
        do throws(FileError) {
            guard try FileAccess.status(of: path) != nil else { return nil }
            bytes = try FileAccess.readRegular(path, byteCountMax: ModelRegistry.bytesMax)
        } catch {
            throw .file(error)
        }
        do throws(RegistryError) {
            return try ModelRegistry(bytes)
        } catch {
            throw .registry(path: path, error)
        }
    }

    static func list(_ path: String) throws(ModelDirectoryError) -> [String] {
        do throws(FileError) { return try FileAccess.list(path) } catch { throw .file(error) }
    }

    static func isDirectory(_ path: String) throws(ModelDirectoryError) -> Bool {
        do throws(FileError) {
            return try FileAccess.status(of: path)?.isDirectory == true
        } catch {
            throw .file(error)
        }
    }
}
