// SPDX-License-Identifier: MIT

internal import Foundation
internal import Metrics
internal import Testing

/// Prometheus' own linter reads a page; it is there where the package `prometheus` is installed.
struct PromtoolTests {
    static let path = ["/usr/bin/promtool", "/usr/local/bin/promtool"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private func check(_ page: [UInt8]) throws -> (status: Int32, output: String) {
        let tool = Process()
        tool.executableURL = URL(fileURLWithPath: try #require(Self.path))
        tool.arguments = ["check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        tool.standardInput = input
        tool.standardOutput = output
        tool.standardError = output
        try tool.run()
        try input.fileHandleForWriting.write(contentsOf: Data(page))
        try input.fileHandleForWriting.close()
        let text = String(
            decoding: output.fileHandleForReading.readDataToEndOfFile(),
            as: UTF8.self
        )
        tool.waitUntilExit()
        return (tool.terminationStatus, text)
    }

    @Test(.enabled(if: path != nil)) func findsNothingWrong() throws {
        let registry = Registry()
        let family = registry.counters("a_total", help: "A \\ and \n.", labels: ["x"])
        family.child(["back\\slash \"quote\" line\nfeed é"]).add(1 << 60)
        family.child([""]).add()
        registry.gauge("b_ratio", help: "B.").set(1e-7)
        registry.function("c_bytes", help: "C.") { .nan }
        registry.function("d_bytes", help: "D.") { -.infinity }
        let histogram = registry.histogram("e_seconds", help: "E.", bounds: [1e-6, 0.1, 1e6])
        for value in [0, 0.1, 5, .infinity] { histogram.observe(value) }
        var page: [UInt8] = []
        registry.render(into: &page)
        let result = try check(page)
        #expect(result.output == "")
        #expect(result.status == 0)
    }

    @Test(.enabled(if: path != nil)) func wouldSaySo() throws {
        let result = try check(Array("a{x=\"\\q\"} 1\n".utf8))
        #expect(result.status != 0)
    }
}
