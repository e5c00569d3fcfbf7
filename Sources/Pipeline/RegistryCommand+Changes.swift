// SPDX-License-Identifier: MIT

import ArgumentParser
import Foundation
import ModelRuntime
import Platform
import Training

extension RegistryCommand {
    /// What is kept of a change beside what it changed.
    struct Occasion: ParsableArguments {
        @Option(help: "Why, for the history.")
        var reason: String

        @Option(help: "Who, for the history (default: the user's name).")
        var by: String?

        func note(allowing allowed: [DifferenceKind] = []) -> ModelRegistry.Note {
            ModelRegistry.Note(
                microseconds: WallClock.system.nowMicroseconds,
                author: by ?? NSUserName(),
                reason: reason,
                allowed: allowed
            )
        }

        func validate() throws {
            for (name, text) in [("reason", reason), ("by", by ?? "-")] {
                guard (1...1000).contains(text.utf8.count) else {
                    throw ValidationError("--\(name) must have 1 to 1000 bytes")
                }
            }
        }
    }

    struct Promote: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a version the champion: it answers from then on.",
            discussion: """
                The version is verified first. One whose sensors, units, ranges, horizon or layout \
                differ from the champion's is refused unless --allow names the difference. With \
                --allow shift a server does not send it back because its risk levels are others.
                """
        )

        @OptionGroup var source: Source
        @OptionGroup var occasion: Occasion

        @OptionGroup var allowed: AllowOptions

        @Argument(help: "The version.")
        var version: String

        func run() throws {
            try reporting { () throws(TrainingError) in
                let version = try Source.version(version)
                let store = try RegistryStore(try source.folder())
                try store.promote(version, occasion.note(allowing: allowed.kinds))
                Console.line("champion: \(version)")
            }
        }
    }

    struct Rollback: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the version that served before the champion champion again."
        )

        @OptionGroup var source: Source
        @OptionGroup var occasion: Occasion

        func run() throws {
            try reporting { () throws(TrainingError) in
                let store = try RegistryStore(try source.folder())
                Console.line("champion: \(try store.rollBack(occasion.note()))")
            }
        }
    }

    struct Challenge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tries a version beside the champion."
        )

        @OptionGroup var source: Source
        @OptionGroup var occasion: Occasion

        @OptionGroup var allowed: AllowOptions

        @Argument(help: "The version.")
        var version: String

        @Option(help: "The share of the machines that it answers (default: none, in the shadow).")
        var share: Double?

        func validate() throws {
            guard share.map({ $0 > 0 && $0 < 1 }) ?? true else {
                throw ValidationError("--share must lie between 0 and 1")
            }
            guard allowed.kinds.allSatisfy({ $0 == .shift }) else {
                throw ValidationError("--allow: a challenger may only differ by a shift")
            }
        }

        func run() throws {
            try reporting { () throws(TrainingError) in
                let challenger = ModelRegistry.Challenger(
                    version: try Source.version(version),
                    mode: share.map { .share($0) } ?? .shadow
                )
                let store = try RegistryStore(try source.folder())
                try store.challenge(
                    challenger,
                    occasion.note(allowing: allowed.kinds)
                )
                Console.line("challenger: \(challenger.version)")
            }
        }
    }

    struct Withdraw: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends the trial of the challenger."
        )

        @OptionGroup var source: Source
        @OptionGroup var occasion: Occasion

        func run() throws {
            try reporting { () throws(TrainingError) in
                let store = try RegistryStore(try source.folder())
                try store.withdraw(occasion.note())
                Console.line("challenger: none")
            }
        }
    }
}
