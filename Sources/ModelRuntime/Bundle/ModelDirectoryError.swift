// SPDX-License-Identifier: MIT

package import JSON
package import Platform

/// What is wrong with `registry.json`, or with a change of it.
package enum RegistryError: Error, Equatable, CustomStringConvertible {
    /// It is no JSON text.
    case json(JSONError)
    /// A value has not the form that it should have.
    case shape(JSONShapeError)
    /// The version is the champion already.
    case isChampion(BundleVersion)
    /// No version served before the champion.
    case noPredecessor(BundleVersion)
    /// No version is tried.
    case noChallenger
    /// A share of the machines is not between 0 and 1.
    case share(Double)

    package var description: String {
        switch self {
        case .json(let error): error.description
        case .shape(let error): error.description
        case .isChampion(let version): "\(version) is the champion already"
        case .noPredecessor(let version): "the history names no version before \(version)"
        case .noChallenger: "there is no challenger"
        case .share(let share): "a share lies between 0 and 1, and \(share) does not"
        }
    }
}

/// Why no bundle was found.
package enum ModelDirectoryError: Error, Equatable, CustomStringConvertible {
    /// The system refused a call.
    case file(FileError)
    /// There is no such directory.
    case missing(path: String)
    /// The directory holds no model.
    case noModel(path: String)
    /// The directory holds models, and none of that name.
    case unknownModel(String, path: String, models: [String])
    /// The directory holds several models and none was named.
    case severalModels(path: String, models: [String])
    /// The registry cannot be read.
    case registry(path: String, RegistryError)
    /// The registry names a version that is not there.
    case unknownChampion(BundleVersion, path: String)

    package var description: String {
        switch self {
        case .file(let error): error.description
        case .missing(let path): "\(path): no such directory"
        case .noModel(let path): "\(path): no model and no bundle in it"
        case .unknownModel(let name, let path, let models):
            "\(path): no model \(name); there are: \(models.joined(separator: ", "))"
        case .severalModels(let path, let models):
            "\(path): several models, name one of: \(models.joined(separator: ", "))"
        case .registry(let path, let error): "\(path): \(error)"
        case .unknownChampion(let version, let path):
            "\(path): its champion \(version) is not there"
        }
    }
}
