// SPDX-License-Identifier: MIT

package import ModelRuntime

extension BundleReader {
    /// Loads a bundle as a server does.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` with the bundle's place and why it is refused.
    package static func open(_ location: BundleLocation) throws(TrainingError) -> LoadedModel {
        do throws(BundleError) {
            return try load(location)
        } catch {
            throw .unusable("\(location.path): \(error)")
        }
    }

    /// Loads the bundle of a directory, whatever its model and version.
    ///
    /// - Throws: ``TrainingError/unusable(_:)`` as ``open(_:)``.
    package static func open(path: String) throws(TrainingError) -> LoadedModel {
        try open(BundleLocation(path: path))
    }
}
