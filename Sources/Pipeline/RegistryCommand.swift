// SPDX-License-Identifier: MIT

import ArgumentParser
import Integrity
import JSON
import ModelRuntime
import Training

/// Says which versions of a model serve, and changes that.
struct RegistryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registry",
        abstract: "Says which versions of a model serve, and changes that.",
        discussion: """
            The registry is registry.json in the model's folder. A server reads it every two \
            seconds and changes over without losing a request. Without it the newest version serves.
            """,
        subcommands: [
            List.self, Show.self, Verify.self, Diff.self, Promote.self, Rollback.self,
            Challenge.self, Withdraw.self, Push.self, Pull.self,
        ]
    )

    struct Source: ParsableArguments {
        @Option(help: "The folder of all models, or of one.")
        var modelDir = "models"

        @Option(help: "The model, where the folder holds several.")
        var model: String?

        func folder() throws(TrainingError) -> ModelFolder {
            do throws(ModelDirectoryError) {
                return try ModelDirectory(path: modelDir, model: model).modelFolder()
            } catch {
                throw .unusable("\(error)")
            }
        }

        /// The version of that name.
        static func version(_ text: String) throws(TrainingError) -> BundleVersion {
            guard let version = BundleVersion(text) else {
                throw .unusable("\(text): a version is YYYYMMDD_HHMMSS")
            }
            return version
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the versions, the newest first, with what is said of each."
        )

        @OptionGroup var source: Source

        func run() throws {
            try reporting { () throws(TrainingError) in
                let folder = try source.folder()
                let (versions, registry) = try RegistryCommand.read(folder)
                let champion = registry?.champion ?? versions.first
                for version in versions {
                    let role =
                        version == champion
                        ? "champion" : RegistryCommand.role(of: version, in: registry)
                    Console.line("\(version)  \(role)  \(words(folder.location(of: version)))")
                }
            }
        }

        /// What a bundle says of itself, or why it is refused.
        private func words(_ location: BundleLocation) -> String {
            do throws(BundleError) {
                let model = try BundleReader.load(location)
                let evaluation = model.manifest.evaluation
                let metrics = ["pr_auc", "roc_auc"].compactMap { name in
                    evaluation[name].map { value in
                        "\(name) \(String(decoding: value.serialized(), as: UTF8.self))"
                    }
                }
                return ([model.manifest.framework] + metrics).joined(separator: "  ")
            } catch {
                return "refused: \(error)"
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints the registry as JSON: champion, challenger, history."
        )

        @OptionGroup var source: Source

        func run() throws {
            try reporting { () throws(TrainingError) in
                let folder = try source.folder()
                guard let registry = try RegistryCommand.read(folder).registry else {
                    throw .unusable("\(folder.path): there is no registry; the newest serves")
                }
                let text = registry.json.serialized(isPretty: true)
                Console.line(String(decoding: text, as: UTF8.self))
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Loads versions as a server does; status 1 where one is refused."
        )

        @OptionGroup var source: Source

        @Argument(help: "The versions (default: all).")
        var versions: [String] = []

        @Option(help: "A PEM file of Ed25519 keys, one of which must have signed each.")
        var publicKey: String?

        func run() throws {
            var isSound = true
            try reporting { () throws(TrainingError) in
                let folder = try source.folder()
                let keys = try keys()
                var wanted: [BundleVersion] = []
                for text in versions { wanted.append(try Source.version(text)) }
                if wanted.isEmpty { wanted = try RegistryCommand.read(folder).versions }
                for version in wanted {
                    do throws(BundleError) {
                        let place = folder.location(of: version)
                        let model = try BundleReader.load(place, signedBy: keys)
                        Console.line("\(version): verified, \(model.digest)")
                    } catch {
                        Console.line("\(version): refused: \(error)")
                        isSound = false
                    }
                }
            }
            if !isSound { throw ExitCode.failure }
        }

        private func keys() throws(TrainingError) -> [Ed25519PublicKey] {
            do throws(KeyFileError) { return try [Ed25519PublicKey](settingOf: publicKey) } catch {
                throw .unusable("\(error)")
            }
        }
    }

    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Says in what one version differs from another."
        )

        @OptionGroup var source: Source

        @Argument(help: "The version to begin with.")
        var old: String

        @Argument(help: "The version to compare with it.")
        var new: String

        func run() throws {
            try reporting { () throws(TrainingError) in
                let folder = try source.folder()
                let differences = ModelDifference.between(
                    try manifest(old, folder),
                    try manifest(new, folder)
                )
                for difference in differences {
                    let mark = difference.kind.isBreaking ? "!" : " "
                    Console.line("\(mark) \(difference.kind.rawValue): \(difference.text)")
                }
                if differences.isEmpty { Console.line("no difference but the weights") }
            }
        }

        private func manifest(
            _ text: String,
            _ folder: ModelFolder
        ) throws(TrainingError) -> Manifest {
            try BundleReader.open(folder.location(of: try Source.version(text))).manifest
        }
    }

    /// What is in a model's folder.
    static func read(
        _ folder: ModelFolder
    ) throws(TrainingError) -> (versions: [BundleVersion], registry: ModelRegistry?) {
        do throws(ModelDirectoryError) {
            return (try folder.versions(), try folder.registry())
        } catch {
            throw .unusable("\(error)")
        }
    }

    /// What a version that is not the champion is.
    fileprivate static func role(of version: BundleVersion, in registry: ModelRegistry?) -> String {
        guard let challenger = registry?.challenger, challenger.version == version else {
            return "-"
        }
        return switch challenger.mode {
        case .shadow: "shadow"
        case .share(let share): "challenger (\(share))"
        }
    }
}
