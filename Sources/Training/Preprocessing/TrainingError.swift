// SPDX-License-Identifier: MIT

package import Features
package import JSON
package import Platform

/// Why a step of the training side cannot go on.
package enum TrainingError: Error, Equatable, CustomStringConvertible {
    /// A table is not what its schema says.
    case table(path: String, TableError)
    /// A file cannot be read or written.
    case file(FileError)
    /// A file is no JSON.
    case json(path: String, JSONError)
    /// A JSON file has not the form it should have.
    case shape(path: String, JSONShapeError)
    /// A schema, spec or transform does not fit.
    case spec(path: String, SpecError)
    /// What was asked for cannot be done with this data.
    case unusable(String)

    package var description: String {
        switch self {
        // These name the file themselves.
        case .table(_, .file(let error)): error.description
        case .table(_, .gzip(let path, let error)): "\(path): \(error)"
        case .table(let path, let error): "\(path): \(error)"
        case .file(let error): error.description
        case .json(let path, let error): "\(path): \(error)"
        case .shape(let path, let error): "\(path): \(error)"
        case .spec(let path, let error): "\(path): \(error)"
        case .unusable(let why): why
        }
    }
}

/// Reads and writes the JSON files of the training side.
package enum JSONFile {
    /// Reads a JSON file of at most 64 MiB: a features file with its golden cases has under one.
    ///
    /// - Throws: ``TrainingError``.
    package static func read(_ path: String) throws(TrainingError) -> JSONValue {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileAccess.read(path, byteCountMax: 64 << 20)
        } catch {
            throw .file(error)
        }
        do throws(JSONError) {
            return try JSONValue.parse(bytes)
        } catch {
            throw .json(path: path, error)
        }
    }

    /// Replaces a file by the value, indented.
    ///
    /// - Throws: ``TrainingError`` where the file cannot be written.
    package static func write(_ value: JSONValue, to path: String) throws(TrainingError) {
        do throws(FileError) {
            try FileAccess.makeDirectory(FileAccess.parent(of: path))
            try FileAccess.replace(path, with: value.serialized(isPretty: true))
        } catch {
            throw .file(error)
        }
    }
}
