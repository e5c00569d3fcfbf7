// SPDX-License-Identifier: MIT

import Features
import JSON
import Platform
import Training

/// A folder of a test's own, removed with its last reference.
final class TestFolder {
    let path: String

    init() throws {
        path = "/tmp/training-tests-\(UInt64.random(in: 0 ... .max))"
        try FileAccess.makeDirectory(path)
    }

    deinit { try? FileAccess.remove(path) }

    /// Writes a file and gives its path.
    func write(_ text: String, _ name: String = "table.csv") throws -> String {
        try FileAccess.write(Array(text.utf8), to: "\(path)/\(name)")
        return "\(path)/\(name)"
    }

    func text(_ name: String) throws -> String {
        String(decoding: try FileAccess.read("\(path)/\(name)"), as: UTF8.self)
    }

    func json(_ name: String) throws -> JSONView {
        JSONView(try JSONFile.read("\(path)/\(name)"))
    }
}

/// A file that stands in the repository, by its path from the root.
func repositoryFile(_ path: String) -> String {
    let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    return "/\(root)/\(path)"
}

/// The error that a step ends with, as the person who runs it reads it.
func refusal<Result>(_ body: () throws(TrainingError) -> Result) -> String? {
    do throws(TrainingError) {
        _ = try body()
        return nil
    } catch {
        return "\(error)"
    }
}
