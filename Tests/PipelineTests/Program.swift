// SPDX-License-Identifier: MIT

import Foundation

/// The built `pdm`, run as a person runs it.
enum Program {
    /// What a run came to.
    struct Outcome {
        let status: Int32
        /// Whether a signal ended it: a crash.
        let isCrash: Bool
        let output: String
        let error: String

        var lines: [Substring] { output.split(separator: "\n") }
        var errorLines: [Substring] { error.split(separator: "\n") }
    }

    /// The folder of the test binary, which is where the build puts `pdm` too.
    static let path: String = {
        let binary = URL(filePath: CommandLine.arguments[0])
        return binary.deletingLastPathComponent().appending(path: "pdm").path
    }()

    /// Runs `pdm` with arguments, or another program.
    static func run(
        _ arguments: [String],
        program: String = path,
        in folder: String? = nil,
        environment: [String: String]? = nil
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        if let environment {
            // A sanitizer's settings go along, and the way to the program that names frames for it.
            let settings = ProcessInfo.processInfo.environment.filter {
                $0.key.hasSuffix("SAN_OPTIONS") || $0.key == "PATH"
            }
            process.environment = settings.merging(environment) { $1 }
        }
        // Files, for a pipe that nobody reads while the program runs would stop it.
        let scratch = try Folder()
        process.currentDirectoryURL = URL(filePath: folder ?? scratch.path)
        let (output, error) = (scratch.file("output"), scratch.file("error"))
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try handle(output)
        process.standardError = try handle(error)
        try process.run()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            isCrash: process.terminationReason == .uncaughtSignal,
            output: try String(contentsOfFile: output, encoding: .utf8),
            error: try String(contentsOfFile: error, encoding: .utf8)
        )
    }

    private static func handle(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(filePath: path))
        return try FileHandle(forWritingTo: URL(filePath: path))
    }
}

/// A folder of a test's own, removed with its last reference.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/pdm-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { remove() }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, _ name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: file(name)))
        return file(name)
    }

    /// The files below a folder with their content.
    func contents(_ name: String) throws -> [String: Data] {
        let root = file(name)
        var found: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: root) {
            // Folders have no content.
            found[path] = FileManager.default.contents(atPath: "\(root)/\(path)") ?? Data()
        }
        return found
    }
}

/// A path in the repository.
func repositoryPath(_ path: String) -> String {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return "/\(root)/\(path)"
}
