// SPDX-License-Identifier: MIT

import Foundation
import Glibc
@testable import InferenceServer
import Platform
import Testing

/// What signals do to the process, and at which times.
@Suite struct SignalTests {
    /// The built program, started on a free port with a model.
    private final class Process {
        private static let deadline = Duration.seconds(60)

        private let process = Foundation.Process()
        private let folder: TemporaryDirectory
        private var errors: String { "\(folder.path)/errors" }

        init(_ arguments: [String]) throws {
            folder = try TemporaryDirectory()
            try TestBundle.write(to: "\(folder.path)/models")
            try FileAccess.write([], to: "\(folder.path)/errors")
            let binary = URL(filePath: CommandLine.arguments[0])
            process.executableURL = binary.deletingLastPathComponent()
                .appending(path: "inference-server")
            process.arguments =
                ["--port", "0", "--model-dir", "\(folder.path)/models"] + arguments
            process.standardError = FileHandle(forWritingAtPath: "\(folder.path)/errors")
            process.standardInput = FileHandle.nullDevice
            try process.run()
        }

        deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

        var log: String {
            get throws { String(decoding: try FileAccess.read(errors), as: UTF8.self) }
        }

        func wait(forLine text: String) throws {
            let start = ContinuousClock.now
            while !(try log.contains(text)) {
                let found = try log
                try #require(start.duration(to: .now) < Self.deadline, "\(found)")
                usleep(5000)
            }
        }

        func signal(_ number: Int32) { kill(process.processIdentifier, number) }

        /// The status that it ends with, and how long that took.
        func status() -> (status: Int32, time: Duration) {
            let start = ContinuousClock.now
            process.waitUntilExit()
            return (process.terminationStatus, start.duration(to: .now))
        }
    }

    @Test func oneSignalWaitsForACollectorNoLongerThanTheDrain() throws {
        let hanging = try HangingCollector()
        let process = try Process(
            ["--otlp-collector", hanging.address, "--drain-timeout", "500ms"]
        )
        try process.wait(forLine: "\"listening\"")
        process.signal(SIGTERM)
        let (status, time) = process.status()
        #expect(status == 0)
        #expect(time < .seconds(4))
        #expect(try process.log.contains("telemetry_abandoned"))
        #expect(try process.log.contains("\"stopped\""))
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func aSecondSignalEndsItWhileItFlushes(second: Int32) throws {
        let hanging = try HangingCollector()
        let process = try Process(["--otlp-collector", hanging.address])
        try process.wait(forLine: "\"listening\"")
        process.signal(SIGTERM)
        try process.wait(forLine: "\"draining\"")
        process.signal(second)
        let (status, _) = process.status()
        #expect(status == 0)
        #expect(try process.log.contains("\"stopping_at_once\""))
        #expect(!(try process.log.contains("\"stopped\"")))
    }

    /// Nothing of the service is there yet that could take the first one.
    @Test func aSecondSignalEndsItBeforeItHasBegun() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let handler = SignalHandler(level: .info, format: .json)
            handler.take(.hangUp)
            handler.take(.terminate)
            handler.take(.interrupt)
            // Not reached.
            _exit(3)
        }
    }

    @Test func aSignalBeforeTheStartIsNotLost() throws {
        let directory = try TemporaryDirectory()
        let settings = try Settings(
            texts: ["port": "0", "event-loops": "2", "model-dir": directory.path],
            environment: [:]
        )
        let lines = LogLines()
        let application = try Application(
            settings: settings,
            log: Log(write: { lines.append($0) })
        )
        let handler = SignalHandler(level: .info, format: .json)
        handler.take(.terminate)
        handler.begin(application)
        while lines.containing("draining").isEmpty { usleep(1000) }
        try application.start()
        application.waitUntilStopped()
        #expect(lines.containing("\"stopped\"").count == 1)
    }
}
