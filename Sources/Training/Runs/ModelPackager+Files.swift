// SPDX-License-Identifier: MIT

internal import ModelRuntime
internal import Platform

extension ModelPackager {
    /// Describes the bundle of a training file below `directory`; its version is now unless given.
    ///
    /// - Throws: ``TrainingError`` where the file cannot be read, or where a bundle of this version
    ///   is there already: minutes of training later would be too late to say so.
    package init(
        model: String,
        version: String?,
        trainingFile: String,
        directory: String
    ) throws(TrainingError) {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileAccess.read(trainingFile)
        } catch {
            throw .file(error)
        }
        let now = BundleVersion(microseconds: WallClock.system.nowMicroseconds)
        self.init(
            model: model,
            version: version.flatMap { BundleVersion($0) } ?? now,
            trainingDigest: FittedFeatures.digest(of: bytes)
        )
        let path = "\(directory)/\(model)/\(self.version)"
        if (try? FileAccess.status(of: path)) ?? nil != nil {
            throw .unusable("\(path): there already")
        }
    }
}
