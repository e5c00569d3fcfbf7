// SPDX-License-Identifier: MIT

import ArgumentParser
import Drift
import JSON
import Platform
import Training

/// Compares current data with the data that a model learned from.
struct DriftCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drift",
        abstract: "Says whether current data still look like those a model learned from.",
        discussion: """
            Writes drift.json and drift.html and prints the features that differ most. Ends with 0 \
            where there is neither drift nor a broken sensor, 3 where there is drift, 4 where a \
            sensor looks broken and there is no drift; 1 and 64 are errors, as everywhere.
            """
    )

    /// How many features are printed.
    private static let printedMax = 10

    @Option(help: "What the model learned from: a feature file, or any CSV with a header.")
    var referenceData: String?

    @Option(help: "A bundle in the place of --reference-data: the sample that it keeps.")
    var bundle: String?

    @Option(help: "The data of now, in the same form.")
    var currentData: String

    @Option(help: "The directory to write to.")
    var outputDir = "models/drift_reports"

    @Option(help: "Both files hold raw readings in the form of this schema file, or `default`.")
    var schema: String?

    @Option(help: "The column that names the machine, where there is one.")
    var machineColumn = "equipment_id"

    @Option(help: "The p-value below which a feature's difference counts.")
    var significance = 0.05

    @Option(help: "There is drift where more than this share of the features drifts.")
    var featureShare = 0.3

    @Option(help: "The least distance of two distributions, 0 to 1, that counts.")
    var distanceMin = 0.1

    private var rule: DriftRule {
        var rule = DriftRule()
        rule.significance = significance
        rule.featureShare = featureShare
        rule.distanceMin = distanceMin
        return rule
    }

    func validate() throws {
        guard (referenceData == nil) != (bundle == nil) else {
            throw ValidationError("give either --reference-data or --bundle")
        }
        guard bundle == nil || schema == nil else {
            throw ValidationError("--schema is for raw readings, --bundle for feature files")
        }
        guard rule.isValid else {
            throw ValidationError(
                "--significance and --distance-min must be 0 to 1, --feature-share 0 to below 1"
            )
        }
    }

    func run() throws {
        var code = ExitCode.success
        try reporting { () throws(TrainingError) in
            let tables = try tables()
            for note in tables.omitted { Console.error("note: left out \(note)") }
            let report = tables.report(rule: rule)
            var json = report.json(machines: tables.machines)
            json["reference"] = ["source": .string(bundle ?? referenceData ?? "")]
            json["current"] = ["source": .string(currentData)]
            try JSONFile.write(.object(json), to: "\(outputDir)/drift.json")
            let page = DriftPage(report, machines: tables.machines)
            do throws(FileError) {
                try FileAccess.replace("\(outputDir)/drift.html", with: page.bytes)
            } catch {
                throw .file(error)
            }
            for line in report.lines(machines: tables.machines, countMax: Self.printedMax) {
                Console.line(line)
            }
            Console.line("wrote \(outputDir)/drift.json and drift.html")
            if report.isDrift {
                code = ExitCode(3)
            } else if !report.faults.isEmpty {
                code = ExitCode(4)
            }
        }
        if code != .success { throw code }
    }

    private func tables() throws(TrainingError) -> DriftTables {
        if let bundle {
            return try DriftTables(
                bundle: bundle,
                currentPath: currentData,
                machineColumn: machineColumn
            )
        }
        let path = referenceData ?? ""
        let schema = try schema.map { name throws(TrainingError) in try SchemaSource.schema(name) }
        return try DriftTables(
            referencePath: path,
            currentPath: currentData,
            schema: schema,
            transform: schema == nil ? try FittedFeatures.transform(beside: path) : nil,
            machineColumn: machineColumn
        )
    }
}
