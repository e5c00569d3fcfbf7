// SPDX-License-Identifier: MIT

import Platform

/// Files of the repository that tests compare with the program.
enum Repository {
    static func text(_ path: String, from file: String = #filePath) throws -> String {
        var root = file
        for _ in 0..<3 { root = FileAccess.parent(of: root) }
        return String(decoding: try FileAccess.read("\(root)/\(path)"), as: UTF8.self)
    }
}
