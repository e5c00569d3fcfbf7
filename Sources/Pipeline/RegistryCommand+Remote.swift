// SPDX-License-Identifier: MIT

import ArgumentParser
import Foundation
import Integrity
import JSON
import ModelRuntime
import Platform
import Training

extension RegistryCommand {
    /// The remote registry, and who asks.
    struct Remote: ParsableArguments {
        @Option(
            help: """
                The address of the MLflow server (default: MLFLOW_TRACKING_URI). Who asks is said \
                by MLFLOW_TRACKING_TOKEN, or by MLFLOW_TRACKING_USERNAME and \
                MLFLOW_TRACKING_PASSWORD.
                """
        )
        var trackingURI: String?

        func registry() throws(TrainingError) -> MLflowRegistry {
            let environment = ProcessInfo.processInfo.environment
            var base = trackingURI ?? ""
            if base.isEmpty { base = try Self.address(environment) }
            while base.hasSuffix("/") { base.removeLast() }
            let authorization = Self.authorization(environment)
            return MLflowRegistry(RemoteClient(base: base, authorization: authorization))
        }

        /// What the environment names: an MLflow server, or a workspace of Azure Machine Learning.
        private static func address(
            _ environment: [String: String]
        ) throws(TrainingError) -> String {
            if let address = environment["MLFLOW_TRACKING_URI"], !address.isEmpty { return address }
            let names = [
                "AZURE_LOCATION", "AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP",
                "AZURE_ML_WORKSPACE",
            ]
            let values = names.map { environment[$0] ?? "" }
            guard values.allSatisfy({ !$0.isEmpty }) else {
                throw .unusable(
                    "no remote registry: --tracking-uri, MLFLOW_TRACKING_URI, or all of"
                        + " \(names.joined(separator: ", ")) name one"
                )
            }
            return "https://\(values[0]).api.azureml.ms/mlflow/v1.0/subscriptions/\(values[1])"
                + "/resourceGroups/\(values[2])/providers/Microsoft.MachineLearningServices"
                + "/workspaces/\(values[3])"
        }

        private static func authorization(_ environment: [String: String]) -> String? {
            if let token = environment["MLFLOW_TRACKING_TOKEN"], !token.isEmpty {
                return "Bearer \(token)"
            }
            guard let name = environment["MLFLOW_TRACKING_USERNAME"], !name.isEmpty else {
                return nil
            }
            let password = environment["MLFLOW_TRACKING_PASSWORD"] ?? ""
            return "Basic \(Data("\(name):\(password)".utf8).base64EncodedString())"
        }
    }

    struct Push: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies a version to a remote registry (MLflow).",
            discussion: """
                The version is verified first. Pushing it again changes nothing; another bundle of \
                the same version is refused.
                """
        )

        @OptionGroup var source: Source
        @OptionGroup var remote: Remote

        @Argument(help: "The version (default: the champion, or the newest).")
        var version: String?

        @Option(help: "An alias to set there, say champion.")
        var alias: String?

        func run() throws {
            try reporting { () throws(TrainingError) in
                let folder = try source.folder()
                let location = folder.location(of: try wanted(folder))
                let bundle = try BundleReader.open(location)
                let model = bundle.manifest.model
                let registry = try remote.registry()
                let number = try registry.push(bundle)
                if let alias { try registry.setAlias(alias, of: model, to: number) }
                Console.line("\(model) \(bundle.manifest.version): version \(number) there")
            }
        }

        private func wanted(_ folder: ModelFolder) throws(TrainingError) -> BundleVersion {
            if let version { return try Source.version(version) }
            let (versions, registry) = try RegistryCommand.read(folder)
            guard let version = registry?.champion ?? versions.first else {
                throw .unusable("\(folder.path): no version is there")
            }
            return version
        }
    }

    struct Pull: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copies a version from a remote registry (MLflow) and verifies it.",
            discussion: """
                What is there already with the same sums is not fetched again. Which version \
                serves does not change by it where the folder has a registry.
                """
        )

        @Option(help: "The folder of all models.")
        var modelDir = "models"

        @Option(help: "The model's name, here and there.")
        var model: String

        @OptionGroup var remote: Remote

        @Argument(help: "The version (default: the newest that was pushed).")
        var version: String?

        @Option(help: "The version that this alias names.")
        var alias: String?

        @Option(help: "The version of this number there.")
        var number: Int?

        func validate() throws {
            guard [version != nil, alias != nil, number != nil].count(where: \.self) < 2 else {
                throw ValidationError("only one of a version, --alias and --number is taken")
            }
            guard Manifest.isModelName(model) else {
                throw ValidationError("--model: \(model) is no model's name")
            }
        }

        func run() throws {
            try reporting { () throws(TrainingError) in
                let registry = try remote.registry()
                let number = try wanted(registry)
                let (bundle, isNew) = try registry.pull(model, number: number, to: modelDir)
                let word = isNew ? "pulled" : "is there already"
                Console.line("\(model) \(bundle.manifest.version): \(word), \(bundle.digest)")
            }
        }

        private func wanted(_ registry: MLflowRegistry) throws(TrainingError) -> String {
            if let number { return "\(number)" }
            if let alias { return try registry.entry(of: model, alias: alias).number }
            let entries = try registry.entries(of: model)
            if let version {
                let name = "\(try Source.version(version))"
                guard let entry = entries.last(where: { $0.version == name }) else {
                    throw .unusable("\(model) \(name): the remote registry does not have it")
                }
                return entry.number
            }
            let numbers = entries.compactMap { Int($0.number) }
            guard let newest = numbers.max() else {
                throw .unusable("\(model): the remote registry has no version of it")
            }
            return "\(newest)"
        }
    }
}
