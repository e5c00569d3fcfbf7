// SPDX-License-Identifier: MIT

import Foundation

/// The working tree that these tests were compiled from.
enum Repository {
    /// The folder that holds Package.swift.
    static let root: String = {
        let components = #filePath.split(separator: "/").dropLast(4)
        return "/" + components.joined(separator: "/")
    }()

    /// What git tracks, and new files that it would.
    static let paths: [String] = git("ls-files", "-z", "--cached", "--others", "--exclude-standard")

    /// What git tracks, ignored or not.
    static let trackedPaths: [String] = git("ls-files", "-z", "--cached")

    /// Every text file under a megabyte; symbolic links are left out, their targets are here.
    static let files: [SourceFile] = paths.compactMap { path in
        let full = "\(root)/\(path)"
        let attributes = try? FileManager.default.attributesOfItem(atPath: full)
        guard attributes?[.type] as? FileAttributeType == .typeRegular,
            let byteCount = attributes?[.size] as? Int, byteCount < 1 << 20,
            let text = try? String(contentsOfFile: full, encoding: .utf8)
        else { return nil }
        return SourceFile(path: path, text: text)
    }

    private static func git(_ arguments: String...) -> [String] {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-c", "safe.directory=*", "-C", root] + arguments
        process.standardOutput = pipe
        guard (try? process.run()) != nil,
            let output = try? pipe.fileHandleForReading.readToEnd()
        else { return [] }
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self).split(separator: "\0").map(String.init)
    }
}
