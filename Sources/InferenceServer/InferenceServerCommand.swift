// SPDX-License-Identifier: MIT

internal import ArgumentParser
internal import HTTPServer
internal import Integrity
internal import ModelRuntime
internal import Platform
internal import Synchronization

/// `inference-server`: answers sensor readings with predictions.
@main
struct InferenceServerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inference-server",
        abstract: "Answers sensor readings with the risk that the machine fails.",
        discussion: """
            Every setting is a flag and a variable; the flag wins. SIGTERM stops the server \
            without losing a request, SIGHUP makes it look for a new model at once.
            """,
        version: version
    )

    /// The program's version; a release has one without a suffix.
    static let version = "0.1.0-dev"

    @OptionGroup(title: "Settings") var options: SettingOptions

    @Option(help: ArgumentHelp("Load, test and report a bundle, then end.", valueName: "bundle"))
    var verify: String?

    @Flag(help: "Check the settings, show them, then end.")
    var checkConfig = false

    @Flag(help: "Ask the server that these settings describe for its health, then end: 0 or 1.")
    var healthCheck = false

    func run() throws {
        let settings: Settings
        do throws(SettingError) {
            settings = try Settings(
                texts: options.texts,
                environment: ProcessEnvironment.variables
            )
        } catch {
            StandardError.write(Array("inference-server: \(error)\n".utf8))
            throw ExitCode(error.exitCode)
        }
        if let verify { return try verifyBundle(verify, settings) }
        if checkConfig { return try check(settings) }
        if healthCheck { return try checkHealth(settings) }
        try serve(settings)
    }

    private func serve(_ settings: Settings) throws {
        // Logs may go to a pipe whose reader ends first.
        Signals.ignoreFailedWrites()
        MemoryKeeper.prepare(loopCount: Application.serverConfiguration(settings).eventLoopCount)
        let log = Log(level: settings.logLevel, format: settings.logFormat)
        let signals: Signals.Receiver
        let handler = SignalHandler(level: settings.logLevel, format: settings.logFormat)
        let application: Application
        do {
            signals = try Signals.Receiver([.terminate, .interrupt, .hangUp])
            signals.deliver(handler.take)
            application = try Application(settings: settings, log: log)
        } catch {
            log.event(.error, "cannot_start", [("reason", "\(error)")])
            throw ExitCode(Self.osError)
        }
        handler.begin(application)
        do {
            try application.start()
        } catch {
            log.event(.error, "cannot_start", [("reason", "\(error)")])
            throw ExitCode(Self.osError)
        }
        application.waitUntilStopped()
        withExtendedLifetime(signals) {}
        if application.hasFailed.load(ordering: .acquiring) { throw ExitCode(Self.osError) }
    }

    private func checkHealth(_ settings: Settings) throws {
        Signals.ignoreFailedWrites()
        guard let failure = HealthCheck.failure(settings) else { return }
        StandardError.write(Array("inference-server: \(failure)\n".utf8))
        throw ExitCode.failure
    }

    private func check(_ settings: Settings) throws {
        do throws(TLSError) {
            try settings.tls?.check()
        } catch {
            StandardError.write(Array("inference-server: \(error)\n".utf8))
            throw ExitCode(Self.configurationError)
        }
        _ = try bundleKeys(settings)
        var text = ""
        for setting in Setting.all { text += "\(setting.flag) = \(setting.render(settings))\n" }
        StandardOutput.write(Array(text.utf8))
    }

    private func verifyBundle(_ path: String, _ settings: Settings) throws {
        let keys = try bundleKeys(settings)
        let report = BundleReport(path: path, signedBy: keys)
        StandardOutput.write(Array(report.text.utf8))
        if !report.isGood { throw ExitCode(Self.dataError) }
    }

    private func bundleKeys(_ settings: Settings) throws -> [Ed25519PublicKey] {
        do throws(KeyFileError) {
            return try [Ed25519PublicKey](settingOf: settings.bundlePublicKey)
        } catch {
            StandardError.write(Array("inference-server: \(error)\n".utf8))
            throw ExitCode(Self.configurationError)
        }
    }

    /// EX_OSERR of sysexits.h.
    private static let osError: Int32 = 71
    /// EX_CONFIG of sysexits.h.
    private static let configurationError: Int32 = 78
    /// EX_DATAERR of sysexits.h.
    private static let dataError: Int32 = 65
}
