// SPDX-License-Identifier: MIT

import Foundation
import Training

/// Programs that are run and waited for; what they print stands between our own lines.
enum ChildProcess {
    /// Where this program is.
    static var ownPath: String {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
    }

    /// Runs a program, by default this one.
    ///
    /// - Returns: Its exit code; 1 where a signal ended it.
    /// - Throws: ``TrainingError/unusable(_:)`` where it cannot be started.
    static func run(
        _ arguments: [String],
        program: String = ownPath,
        environment: [String: String] = [:]
    ) throws(TrainingError) -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment
            .merging(CommandTrace.current.environment) { _, new in new }
            .merging(environment) { _, new in new }
        do {
            try process.run()
        } catch {
            let command = ([program] + arguments).joined(separator: " ")
            throw .unusable("\(command): cannot be started: \(error)")
        }
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : 1
    }
}
