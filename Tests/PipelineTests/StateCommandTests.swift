// SPDX-License-Identifier: MIT

@testable import Features
import Foundation
import Testing

/// `pdm state` on directories as a server leaves them.
struct StateCommandTests {
    private let folder: Folder
    private let engine: FeatureEngine
    private let state: StateDescription

    init() throws {
        folder = try Folder()
        let features = try FeatureSpec.standard.resolved(for: .standard)
        let transform = FeatureTransform(
            schema: .standard,
            layout: StateLayout(
                features: features,
                paneSeconds: 3600,
                ranges: Schema.standard.sensors.map(\.range)
            ),
            specName: "standard",
            forwardFill: true,
            cleaning: Schema.standard.sensors.map { _ in .init(imputed: 1, clip: nil) },
            features: features,
            scaling: features.map { _ in .init(center: 0, scale: 1) },
            scaledClip: nil
        )
        engine = try FeatureEngine(transform)
        state = StateDescription(transform)
    }

    private func fill(_ name: String, machines: Range<Int>) throws {
        let directory = try StateDirectory(path: folder.file(name))
        #expect(try directory.takeLock())
        let store = try directory.store(for: state, limits: StateLimits(machinesMax: 100))
        var scratch = engine.makeScratch()
        for machine in machines {
            for step in 0..<5 {
                scratch.values = [Double(machine), 3, 90, 1400, Double(step), 100]
                let time = ReadingTime(
                    timestamp: Int64(step) * 3_600_000_000,
                    isTimestamped: true,
                    arrival: 1
                )
                let id = Array("M \"\(machine)\" é".utf8)
                _ = try store.observe(time, id: id.span, engine: engine, scratch: &scratch)
            }
        }
    }

    private func pdm(_ arguments: String...) throws -> Program.Outcome {
        try Program.run(["state"] + arguments, in: folder.path)
    }

    @Test func movesEveryMachine() throws {
        try fill("a", machines: 0..<7)
        try fill("b", machines: 6..<8)
        #expect(try pdm("export", "--state-dir", "a", "--output", "a.jsonl").status == 0)
        let read = try pdm("import", "--state-dir", "b", "--input", "a.jsonl")
        #expect(read.status == 0, "\(read.error)")
        #expect(read.lines == ["read a.jsonl: 7 machines"])
        #expect(try pdm("export", "--state-dir", "b", "--output", "b.jsonl").status == 0)
        let lines = try ["a", "b"].map { name in
            try String(contentsOfFile: folder.file("\(name).jsonl"), encoding: .utf8)
                .split(separator: "\n")
        }
        #expect(lines[0].count == 8)
        #expect(lines[1].count == 9)
        #expect(Set(lines[0]).isSubset(of: Set(lines[1])))
        // A line is a record to the last bit: to an empty directory and back nothing changes.
        #expect(try pdm("import", "--state-dir", "c", "--input", "a.jsonl").status == 0)
        #expect(try pdm("export", "--state-dir", "c", "--output", "c.jsonl").status == 0)
        let copy = try String(contentsOfFile: folder.file("c.jsonl"), encoding: .utf8)
        #expect(Set(copy.split(separator: "\n")) == Set(lines[0]))
        let check = try pdm("verify", "--state-dir", "b")
        #expect(check.status == 0)
        #expect(check.lines == ["\(state.digest): 8 machines, 0 torn records, 0 torn panes"])
    }

    @Test func sharesMachinesOut() throws {
        try fill("a", machines: 0..<20)
        #expect(try pdm("export", "--state-dir", "a", "--output", "a.jsonl").status == 0)
        var lines: [Substring] = []
        for shard in 0..<3 {
            let name = "shard\(shard)"
            let part = ["--state-dir", name, "--shard", "\(shard)/3", "--input", "a.jsonl"]
            #expect(try Program.run(["state", "import"] + part, in: folder.path).status == 0)
            #expect(try pdm("export", "--state-dir", name, "--output", "part").status == 0)
            let text = try String(contentsOfFile: folder.file("part"), encoding: .utf8)
            lines += text.split(separator: "\n").dropFirst()
        }
        let all = try String(contentsOfFile: folder.file("a.jsonl"), encoding: .utf8)
        #expect(lines.sorted() == all.split(separator: "\n").dropFirst().sorted())
        let bad = try pdm("import", "--state-dir", "a", "--input", "a.jsonl", "--shard", "3/3")
        #expect(bad.status == 64)
    }

    @Test func verifyTellsWhatIsTorn() throws {
        try fill("a", machines: 0..<3)
        let path = folder.file("a/\(state.digest)/state")
        var bytes = try Data(contentsOf: URL(filePath: path))
        // The last byte in use is in the last pane that holds a reading, of the last machine.
        let last = try #require(bytes.lastIndex { $0 != 0 })
        bytes[last] ^= 1
        try bytes.write(to: URL(filePath: path))
        let check = try pdm("verify", "--state-dir", "a")
        #expect(check.status == 1)
        #expect(check.lines == ["\(state.digest): 3 machines, 0 torn records, 1 torn panes"])
    }

    @Test func refusesWhatItCannotTake() throws {
        try fill("a", machines: 0..<1)
        #expect(try pdm("export", "--state-dir", "a", "--output", "a.jsonl").status == 0)
        let text = try String(contentsOfFile: folder.file("a.jsonl"), encoding: .utf8)
        let lines = text.split(separator: "\n")
        // One digit more in front and one less behind: every word is another.
        let changed = lines[1].replacing("\"record\":\"", with: "\"record\":\"f")
        let cases = [
            ("", "is empty"), ("{}\n", "line 1: "), ("\(lines[0])\n{}\n", "line 2: "),
            ("\(lines[0])\n\(changed.dropLast(3))\"}\n", "checksums"),
            ("\(lines[0])\n\(lines[1].replacing("M ", with: "N "))\n", "checksums"),
        ]
        for (index, (text, reason)) in cases.enumerated() {
            _ = try folder.write(text, "bad.jsonl")
            let answer = try pdm("import", "--state-dir", "b", "--input", "bad.jsonl")
            #expect(answer.status == 1, "case \(index)")
            #expect(answer.error.contains(reason), "case \(index): \(answer.error)")
        }
        // Other sensors: the archive's first line tells.
        let other = lines[0].replacing("temperature", with: "warmth")
        _ = try folder.write("\(other)\n", "other.jsonl")
        let refused = try pdm("import", "--state-dir", "a", "--input", "other.jsonl")
        #expect(refused.status == 1)
        #expect(refused.error.contains("laid out for other"))
        let taken = try pdm("import", "--state-dir", "a", "--input", "other.jsonl", "--new-layout")
        #expect(taken.status == 0)
        let several = try pdm("export", "--state-dir", "a", "--output", "x.jsonl")
        #expect(several.error.contains("--layout is needed"))
        let gone = try pdm("verify", "--state-dir", "nowhere")
        #expect(gone.error.contains("no such directory"))
    }

    @Test func leavesALiveDirectoryAlone() throws {
        let directory = try StateDirectory(path: folder.file("a"))
        #expect(try directory.takeLock())
        for arguments in [
            ["verify"], ["export", "--output", "x"], ["import", "--input", "x"],
        ] {
            let answer = try Program.run(
                ["state"] + arguments + ["--state-dir", "a"],
                in: folder.path
            )
            #expect(answer.status == 1)
            #expect(answer.error.contains("another process uses this state directory"))
        }
    }
}
