// SPDX-License-Identifier: MIT

internal import Platform

/// Where Azure Machine Learning has put a model: it names a directory and mounts the registered
/// folder, whatever its name, in there.
enum AzureModelDirectory {
    static let variable = "AZUREML_MODEL_DIR"

    /// The registered folder, which is alone in the directory; else the directory itself.
    static func folder(in directory: String) -> String {
        guard let names = try? FileAccess.list(directory), names.count == 1 else {
            return directory
        }
        let folder = "\(directory)/\(names[0])"
        let isDirectory = (try? FileAccess.status(of: folder))?.isDirectory == true
        return isDirectory ? folder : directory
    }
}
