// SPDX-License-Identifier: MIT

import Features
import Foundation
import Integrity
import ModelRuntime
import Platform
import Training

/// Runs the steps of a pipeline whose inputs have changed, one after the other.
///
/// A step is a process of this very program. It runs again where the program, its arguments or the
/// bytes of an input differ from those of its last success, or an output is not what it wrote.
struct PipelineRun {
    private static let memoryName = "pipeline-state.json"
    private static let lockName = "pipeline.lock"

    let file: PipelineFile
    /// Where the memory of earlier runs is.
    let folder: String
    var variables: [String: String]
    /// Only says what would run.
    var isDryRun = false

    /// Runs what has to run.
    ///
    /// - Returns: The exit code of the step that failed, or 0.
    /// - Throws: ``TrainingError``, also where another run is under way.
    func run() throws(TrainingError) -> Int32 {
        let lock = try lock()
        let status = try locked()
        _ = consume lock
        return status
    }

    private func lock() throws(TrainingError) -> FileLock {
        do throws(FileError) {
            try FileAccess.makeDirectory(folder)
            let lock = try FileLock("\(folder)/\(Self.lockName)")
            if try lock.take() { return lock }
        } catch {
            throw .file(error)
        }
        throw .unusable("\(folder): another run is under way")
    }

    private func locked() throws(TrainingError) -> Int32 {
        var memory = try PipelineMemory(path: "\(folder)/\(Self.memoryName)")
        var expansion = VariableExpansion(
            values: file.variables.merging(variables) { _, given in given }
        )
        for name in variables.keys where file.variables[name] == nil {
            throw .unusable("--set \(name): the pipeline has no such variable")
        }
        let program = try Self.digest(of: "/proc/self/exe")
        var hasNewVersion = false
        // In a dry run nothing is known of a step whose input another step would write.
        var unknown: Set<String> = []
        for step in file.steps {
            expansion.values[PipelineFile.version] = memory.version.map { "\($0)" } ?? "none"
            if try isDone(step, memory, expansion, program, unknown) {
                Console.line("\(step.name): up to date")
                continue
            }
            if step.usesVersion, !hasNewVersion, isFirstUse(step, memory) {
                hasNewVersion = true
                let now = BundleVersion(microseconds: WallClock.system.nowMicroseconds)
                memory.version = max(now, memory.version.map(Self.next) ?? now)
                expansion.values[PipelineFile.version] = memory.version.map { "\($0)" }
            }
            if isDryRun {
                Console.line("\(step.name): would run")
                unknown.formUnion(try expansion.expand(step.outputs))
                continue
            }
            let status = try perform(step, &memory, expansion, program)
            if status != 0 { return status }
        }
        return 0
    }

    /// Whether the step is the one that makes the new model: the first that names it.
    private func isFirstUse(_ step: PipelineFile.Step, _ memory: PipelineMemory) -> Bool {
        file.steps.first(where: \.usesVersion)?.name == step.name
    }

    private static func next(_ version: BundleVersion) -> BundleVersion {
        BundleVersion(microseconds: version.microseconds + Timestamp.microsecondsPerSecond)
    }

    private func isDone(
        _ step: PipelineFile.Step,
        _ memory: PipelineMemory,
        _ expansion: VariableExpansion,
        _ program: String,
        _ unknown: Set<String>
    ) throws(TrainingError) -> Bool {
        guard let entry = memory.entries[step.name] else { return false }
        let inputs = try expansion.expand(step.inputs)
        let outputs = try expansion.expand(step.outputs)
        guard unknown.isDisjoint(with: inputs), Set(outputs) == Set(entry.outputs.keys) else {
            return false
        }
        for path in inputs + outputs where !Self.exists(path) { return false }
        for path in outputs where try Self.digest(of: path) != entry.outputs[path] { return false }
        return try key(step, expansion, program) == entry.key
    }

    private func perform(
        _ step: PipelineFile.Step,
        _ memory: inout PipelineMemory,
        _ expansion: VariableExpansion,
        _ program: String
    ) throws(TrainingError) -> Int32 {
        for path in try expansion.expand(step.inputs) where !Self.exists(path) {
            throw .unusable("step \(step.name): its input \(path) is not there")
        }
        // Before the step, so that what changes meanwhile is seen by the next run.
        let key = try key(step, expansion, program)
        memory.entries[step.name] = nil
        try memory.save()
        Console.line(
            "\(step.name): pdm \(try expansion.expand(step.arguments).joined(separator: " "))"
        )
        let start = MonotonicClock.system.nowNanoseconds
        let status = try ChildProcess.run(try expansion.expand(step.arguments))
        guard status == 0 else {
            Console.error("error: step \(step.name) ended with status \(status)")
            return status
        }
        var outputs: [String: String] = [:]
        for path in try expansion.expand(step.outputs) {
            guard Self.exists(path) else {
                throw .unusable("step \(step.name): it did not write \(path)")
            }
            outputs[path] = try Self.digest(of: path)
        }
        memory.entries[step.name] = PipelineMemory.Entry(
            key: key,
            outputs: outputs,
            ended: Timestamp.text(WallClock.system.nowMicroseconds),
            seconds: Double(MonotonicClock.system.nowNanoseconds - start) / 1e9
        )
        try memory.save()
        return 0
    }

    private func key(
        _ step: PipelineFile.Step,
        _ expansion: VariableExpansion,
        _ program: String
    ) throws(TrainingError) -> String {
        var parts = [program] + (try expansion.expand(step.arguments))
        for path in try expansion.expand(step.inputs) {
            parts += [path, try Self.digest(of: path)]
        }
        // A NUL keeps the parts apart: no argument can hold one.
        return SHA256.digest(of: Array(parts.joined(separator: "\0").utf8)).hex
    }

    private static func exists(_ path: String) -> Bool {
        ((try? FileAccess.status(of: path)) ?? nil) != nil
    }

    /// The SHA-256 of a file, read piece by piece.
    private static func digest(of path: String) throws(TrainingError) -> String {
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            var hash = SHA256()
            while let part = try file.read(upToCount: 1 << 20), !part.isEmpty {
                hash.update(Array(part))
            }
            return hash.finish().hex
        } catch {
            throw .unusable("\(path): cannot be read")
        }
    }
}
