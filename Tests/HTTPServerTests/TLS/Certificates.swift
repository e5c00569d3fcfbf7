// SPDX-License-Identifier: MIT

import Foundation
@testable import HTTPServer
import Platform

/// Certificates made by `scripts/make-certificate`, removed with the last reference.
final class Certificates: Sendable {
    private struct Kept { weak var certificates: Certificates? }
    private static let kept = Lock(Kept())

    /// Those that tests have in common which only read them; making some takes a while.
    static func shared() throws -> Certificates {
        try kept.withLock { kept in
            if let certificates = kept.certificates { return certificates }
            let certificates = try Certificates()
            kept.certificates = certificates
            return certificates
        }
    }

    let folder = "/tmp/http-tests-\(UUID().uuidString)"

    init(days: Int = 30) throws {
        let script =
            "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
            + "/scripts/make-certificate"
        let outcome = try Tool.run(script, folder, "--days", "\(days)")
        guard outcome.status == 0 else { throw CocoaError(.fileNoSuchFile) }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func file(_ name: String) -> String { "\(folder)/\(name)" }

    /// Certificate and key of a name, with client certificates asked for or not.
    func configuration(
        _ name: String = "server",
        asksClients: Bool = false
    ) -> TLSConfiguration {
        TLSConfiguration(
            certificatePath: file("\(name).pem"),
            keyPath: file("\(name).key"),
            clientAuthorityPath: asksClients ? file("ca.pem") : nil
        )
    }
}

/// Programs that no one here wrote, run as a person runs them.
enum Tool {
    struct Outcome {
        let status: Int32
        /// What was written to either stream.
        let output: String
    }

    static func run(_ program: String, _ arguments: String..., input: String = "") throws -> Outcome
    {
        try run(program, arguments, input: input)
    }

    static func run(_ program: String, _ arguments: [String], input: String = "") throws -> Outcome
    {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["timeout", "20", program] + arguments
        let (output, feed) = (Pipe(), Pipe())
        process.standardInput = feed
        process.standardOutput = output
        process.standardError = output
        try process.run()
        feed.fileHandleForWriting.write(Data(input.utf8))
        try feed.fileHandleForWriting.close()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus,
            output: String(decoding: data, as: UTF8.self)
        )
    }
}
