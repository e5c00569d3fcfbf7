// SPDX-License-Identifier: MIT

import ArgumentParser
import Features
import JSON
import Platform
import Training

/// Backs up, moves and checks the state of a server that is not running.
struct StateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Backs up, moves and checks a server's state directory.",
        discussion: """
            The directory's server must have ended: one that runs keeps the lock, and the command \
            is refused. An update that a killed server left half done is finished first.
            """,
        subcommands: [Export.self, Import.self, Verify.self]
    )

    struct Source: ParsableArguments {
        @Option(help: "The state directory.")
        var stateDir: String

        /// The directory with its lock taken.
        func open(canMake: Bool = false) throws(TrainingError) -> StateDirectory {
            let found: FileStatus?
            do throws(FileError) {
                found = try FileAccess.status(of: stateDir)
            } catch {
                throw .file(error)
            }
            guard canMake || found != nil else {
                throw .unusable("\(stateDir): there is no such directory")
            }
            return try StateCommand.reading { () throws(StateFileError) in
                let directory = try StateDirectory(path: stateDir)
                guard try directory.takeLock() else { throw .locked(path: stateDir) }
                return directory
            }
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes every machine's record as a line of JSON."
        )

        @OptionGroup var source: Source

        @Option(help: "The file to write.")
        var output: String

        @Option(help: "The digest of the layout, where the directory has several.")
        var layout: String?

        func run() throws {
            try reporting { () throws(TrainingError) in
                let directory = try source.open()
                let digest = try pick(
                    try StateCommand.reading { () throws(StateFileError) in
                        try directory.digests()
                    }
                )
                let (file, archive) = try StateCommand.reading { () throws(StateFileError) in
                    let archive = StateArchive(try directory.description(ofDigest: digest))
                    return (try directory.file(ofDigest: digest), archive)
                }
                do throws(FileError) {
                    let check = try write(file, archive)
                    Console.line("wrote \(output): \(StateCommand.text(check))")
                } catch {
                    throw .file(error)
                }
            }
        }

        private func write(
            _ file: StateFile,
            _ archive: StateArchive
        ) throws(FileError) -> StateCheck {
            let writer = try FileWriter(output)
            var block = archive.firstLine + [UInt8(ascii: "\n")]
            let check = try file.check { words throws(FileError) in
                block += archive.line(words)
                block.append(UInt8(ascii: "\n"))
                guard block.count > 1 << 20 else { return }
                try writer.append(block)
                block.removeAll(keepingCapacity: true)
            }
            try writer.append(block)
            try writer.commit()
            return check
        }

        private func pick(_ digests: [String]) throws(TrainingError) -> String {
            if let layout {
                guard digests.contains(layout) else {
                    throw .unusable("\(source.stateDir): no state of layout \(layout)")
                }
                return layout
            }
            guard digests.count == 1 else {
                let found = digests.isEmpty ? "none" : digests.joined(separator: ", ")
                throw .unusable("\(source.stateDir): --layout is needed; there are: \(found)")
            }
            return digests[0]
        }
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Takes in what export wrote, in the place of what is known of its machines."
        )

        @OptionGroup var source: Source

        @Option(help: "The file to read.")
        var input: String

        @Flag(help: "Also where the directory has state of other layouts only.")
        var newLayout = false

        @Option(help: "Machines that the state may hold.")
        var machinesMax = 1_000_000

        @Option(help: "Take only machines of this shard, such as 0/3.")
        var shard: FleetShard?

        func validate() throws {
            let range = StateLimits.machinesRange
            guard range.contains(machinesMax) else {
                throw ValidationError(
                    "--machines-max must be \(range.lowerBound) to \(range.upperBound)"
                )
            }
        }

        func run() throws {
            try reporting { () throws(TrainingError) in
                let directory = try source.open(canMake: true)
                let reader = try LineReader(path: input)
                guard let first = try reader.next() else { throw .unusable("\(input): is empty") }
                let archive: StateArchive
                do throws(StateArchiveError) {
                    archive = try StateArchive(firstLine: first)
                } catch {
                    throw .unusable("\(input): line 1: \(error)")
                }
                let store = try StateCommand.reading { () throws(StateFileError) in
                    let digests = try directory.digests()
                    let isOther = !digests.isEmpty && !digests.contains(archive.state.digest)
                    guard newLayout || !isOther else {
                        throw .problem(path: source.stateDir, .otherLayout)
                    }
                    return try directory.store(
                        for: archive.state,
                        limits: StateLimits(machinesMax: machinesMax)
                    )
                }
                let count = try take(reader, archive, store)
                try StateCommand.reading { () throws(StateFileError) in try store.file?.sync() }
                Console.line("read \(input): \(count) machines")
            }
        }

        private func take(
            _ reader: LineReader,
            _ archive: StateArchive,
            _ store: StateStore
        ) throws(TrainingError) -> Int {
            var count = 0
            var number = 1
            while let line = try reader.next() {
                number += 1
                do throws(StateArchiveError) {
                    if try archive.restore(line, into: store, of: shard) { count += 1 }
                } catch {
                    throw .unusable("\(input): line \(number): \(error)")
                }
            }
            return count
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks every record; status 1 where something is torn."
        )

        @OptionGroup var source: Source

        func run() throws {
            var isSound = true
            try reporting { () throws(TrainingError) in
                let directory = try source.open()
                try StateCommand.reading { () throws(StateFileError) in
                    for digest in try directory.digests() {
                        let check = try directory.file(ofDigest: digest).check { _ in }
                        Console.line("\(digest): \(StateCommand.text(check))")
                        isSound = isSound && check.isSound
                    }
                }
            }
            if !isSound { throw ExitCode.failure }
        }
    }

    fileprivate static func text(_ check: StateCheck) -> String {
        "\(check.machineCount) machines, \(check.tornRecordCount) torn records,"
            + " \(check.tornPaneCount) torn panes"
    }

    /// Runs a step and turns its error into one of the commands'.
    fileprivate static func reading<Result>(
        _ body: () throws(StateFileError) -> Result
    ) throws(TrainingError) -> Result {
        do throws(StateFileError) {
            return try body()
        } catch {
            throw .unusable("\(error)")
        }
    }
}

extension FleetShard: ExpressibleByArgument {
    init?(argument: String) { self.init(argument) }
}
