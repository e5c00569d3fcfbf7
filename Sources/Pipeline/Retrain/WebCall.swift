// SPDX-License-Identifier: MIT

import Foundation
import Training

/// One request over HTTP or HTTPS, made by the program `curl`.
///
/// It brings TLS, the system's authorities and proxies. All that it is told goes through its
/// standard input, so that no secret is ever an argument that others can see.
struct WebCall {
    /// What came back.
    struct Answer {
        let status: Int
        let body: [UInt8]
    }

    private static let timeoutSeconds = 30
    private static let answerBytesMax = 16 << 20

    var method = "GET"
    let url: String
    var headers: [String] = []
    /// Sent as `Authorization: Bearer`, and told to nobody else.
    var token: String?
    var body: [UInt8]?

    /// The URL without its query, for messages.
    var place: String { String(url.prefix { $0 != "?" }) }

    /// Makes the request; redirections are not followed.
    ///
    /// - Throws: ``TrainingError`` where no answer came.
    func answer() throws(TrainingError) -> Answer {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // What a person has set for their own use has no say.
        process.arguments = ["curl", "--disable", "--config", "-"]
        let (input, output, errors) = (Pipe(), Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = errors
        do {
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(configuration.utf8))
            try input.fileHandleForWriting.close()
        } catch {
            throw .unusable("\(place): curl cannot be started: \(error)")
        }
        let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
        let trouble = String(
            decoding: errors.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        process.waitUntilExit()
        guard process.terminationStatus == 0,
            let end = bytes.lastIndex(of: UInt8(ascii: "\n")),
            let status = Int(String(decoding: bytes[(end + 1)...], as: UTF8.self))
        else {
            let line = trouble.split(separator: "\n").first.map(String.init)
            throw .unusable("\(place): \(line ?? "curl ended with \(process.terminationStatus)")")
        }
        return Answer(status: status, body: Array(bytes[..<end]))
    }

    private var configuration: String {
        var lines = [
            "silent", "show-error", "proto = \"=http,https\"",
            "max-time = \(Self.timeoutSeconds)", "max-filesize = \(Self.answerBytesMax)",
            "write-out = \"\\n%{http_code}\"", "request = \(Self.quoted(method))",
            "url = \(Self.quoted(url))",
        ]
        for header in headers { lines.append("header = \(Self.quoted(header))") }
        if let token { lines.append("header = \(Self.quoted("Authorization: Bearer \(token)"))") }
        if let body {
            lines.append("data-raw = \(Self.quoted(String(decoding: body, as: UTF8.self)))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A text as the configuration of curl has it.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }
}
