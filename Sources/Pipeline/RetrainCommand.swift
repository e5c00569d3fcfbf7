// SPDX-License-Identifier: MIT

import ArgumentParser
import Foundation
import JSON
import Platform
import Training

/// Watches for drift, and has a new model trained where there is some.
struct RetrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retrain",
        abstract: "Watches for drift and starts the training of a new model.",
        discussion: """
            Asks a server's /drift (or reads the report of `pdm drift`) and, where there is drift, \
            runs the pipeline here or calls a webhook: never within the cool-down of the last \
            time, and for a drift that has not grown since more and more rarely. What was seen and \
            done, and why, is appended to retrain.jsonl. The champion is never touched: a new \
            model serves once the pipeline's gate has passed and its last step registered it.
            """
    )

    @Option(help: "The address of a server's /drift, polled.")
    var server: String?

    @Option(help: "A report of `pdm drift` in the place of --server, looked at as often.")
    var report: String?

    @Option(help: "The pipeline file to run.")
    var pipeline = "ml_pipeline/pipeline.json"

    @Option(help: "The folder for the memory of the pipeline.")
    var workDir = "models/pipeline"

    @Option(name: .customLong("set"), help: "A variable of the pipeline, as name=value.")
    var variables: [String] = []

    @Option(help: "An address to call in the place of running the pipeline here.")
    var webhook: String?

    @Option(help: "The method of the call.")
    var webhookMethod = "POST"

    @Option(help: "A file with the call's JSON body, in which ${model_version} and others stand.")
    var webhookBody: String?

    @Option(help: "A header field of the call, as `Name: value`.")
    var webhookHeader: [String] = []

    @Option(help: "Seconds that one call of an address may take.")
    var timeout = 30

    @Option(help: "The environment variable with the call's bearer token.")
    var tokenVariable: String?

    @Option(help: "The file with the call's bearer token.")
    var tokenFile: String?

    @Option(help: "The folder of retrain.jsonl and the lock.")
    var stateDir = "models/retrain"

    @Option(help: "Hours from one retraining to the next at least.")
    var cooldownHours = 24.0

    @Option(
        help: """
            Hours until a drift that was answered and has not grown is answered again, twice as \
            many each time; 0: never.
            """
    )
    var repeatHours = 168.0

    @Option(help: "Seconds from one look to the next.")
    var interval = 60

    @Flag(help: "Look once and end: with 3 where the gate refused the new model.")
    var once = false

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    func validate() throws {
        guard (server == nil) != (report == nil) else {
            throw ValidationError("give either --server or --report")
        }
        guard cooldownHours >= 0, cooldownHours <= 87_600, (1...86_400).contains(interval) else {
            throw ValidationError("--cooldown-hours must be 0 to 87600, --interval 1 to 86400")
        }
        guard repeatHours >= 0, repeatHours <= 87_600 else {
            throw ValidationError("--repeat-hours must be 0 to 87600")
        }
        guard (1...3600).contains(timeout) else {
            throw ValidationError("--timeout must be 1 to 3600")
        }
        guard Self.isToken(webhookMethod) else {
            throw ValidationError("--webhook-method \(webhookMethod): it must be a word")
        }
        if !webhookHeader.allSatisfy({ Self.field($0) != nil }) {
            // Not repeated: without a colon a token may stand in the name's place.
            throw ValidationError("--webhook-header: each must be `Name: value`")
        }
        for text in variables where !text.contains("=") {
            throw ValidationError("--set \(text): it must be name=value")
        }
        for url in [server, webhook].compactMap(\.self) where !Self.isWebAddress(url) {
            let place = RemoteClient.withoutSecrets(url)
            throw ValidationError(
                "\(place): an address begins with http:// or https:// and names no user"
            )
        }
        guard tokenVariable == nil || tokenFile == nil else {
            throw ValidationError("give either --token-variable or --token-file")
        }
        if let webhook, tokenVariable != nil || tokenFile != nil, !Self.keepsSecrets(webhook) {
            let place = RemoteClient.withoutSecrets(webhook)
            throw ValidationError("\(place): a token goes over https only")
        }
    }

    func run() throws {
        var status = 0
        try reporting { () throws(TrainingError) in
            let lock = try lock()
            let target = try target()
            var memory = try memory()
            if once || dryRun {
                status = try look(&memory, target)
            } else {
                watch(&memory, target)
            }
            _ = consume lock
        }
        if status != 0 { throw ExitCode(Int32(status)) }
    }

    /// Looks again and again; trouble is told once and outlived.
    private func watch(_ memory: inout RetrainMemory, _ target: RetrainTarget) {
        var lastTrouble = ""
        while true {
            do throws(TrainingError) {
                _ = try look(&memory, target)
                lastTrouble = ""
            } catch {
                CommandTrace.current.note(error)
                if "\(error)" != lastTrouble { Console.error("error: \(error)") }
                lastTrouble = "\(error)"
            }
            CommandTrace.current.end("pdm retrain")
            Thread.sleep(forTimeInterval: Double(interval))
        }
    }

    /// Looks once, and does what is to be done.
    ///
    /// - Returns: 0, or the status of a pipeline that did not register a model.
    private func look(
        _ memory: inout RetrainMemory,
        _ target: RetrainTarget
    ) throws(TrainingError) -> Int {
        let reading = try reading()
        let now = WallClock.system.nowMicroseconds
        var entry = RetrainMemory.Entry(
            time: now,
            event: .rest,
            reason: "",
            source: source,
            target: target.name,
            reading: reading
        )
        switch memory.verdict(reading, now: now, pauses) {
        case .rest(let reason):
            entry.reason = reason
            Console.line("nothing to do: \(reason)")
            if !dryRun { try append(entry, &memory) }
            return 0
        case .trigger(let answer, let grown):
            entry.event = .triggered
            entry.answer = answer
            entry.grown = grown
            entry.reason = Self.reason(reading, answer: answer, grown: grown)
            Console.line("\(dryRun ? "would start" : "starting") \(target.name): \(entry.reason)")
            if dryRun { return 0 }
            try append(entry, &memory)
            return try perform(target, reading, &entry, &memory)
        }
    }

    private var pauses: RetrainMemory.Pauses {
        let microseconds = 3_600_000_000.0
        return RetrainMemory.Pauses(
            cooldown: Int64(cooldownHours * microseconds),
            again: Int64(repeatHours * microseconds)
        )
    }

    private static func reason(_ reading: DriftReading, answer: Int, grown: [String]) -> String {
        let share = Console.number(reading.share)
        let all = "\(reading.features.count) features drift, \(share) of them"
        if !grown.isEmpty {
            return "\(all); \(grown.count) further than when that was answered last"
        }
        return answer > 1 ? "\(all), as they did; for the \(answer). time" : all
    }

    private func perform(
        _ target: RetrainTarget,
        _ reading: DriftReading,
        _ entry: inout RetrainMemory.Entry,
        _ memory: inout RetrainMemory
    ) throws(TrainingError) -> Int {
        var failure: TrainingError?
        do throws(TrainingError) {
            let (status, hasEnded) = try target.run(reading, entry.reason, now: entry.time)
            entry.status = status
            entry.event = hasEnded ? .finished : .failed
            entry.reason = "ended with status \(status)"
        } catch {
            failure = error
            entry.event = .failed
            entry.reason = "\(error)"
        }
        entry.time = WallClock.system.nowMicroseconds
        try append(entry, &memory)
        if let failure { throw failure }
        Console.line("\(target.name): \(entry.reason)")
        if case .webhook = target { return entry.event == .finished ? 0 : 1 }
        return entry.status ?? 1
    }

    private func append(
        _ entry: RetrainMemory.Entry,
        _ memory: inout RetrainMemory
    ) throws(TrainingError) {
        do throws(FileError) { try memory.append(entry) } catch { throw .file(error) }
    }

    private var source: String { server.map(RemoteClient.withoutSecrets) ?? report ?? "" }

    private func reading() throws(TrainingError) -> DriftReading {
        var json: JSONValue
        if let server {
            let answer = try RemoteClient(base: server, timeoutSeconds: Double(timeout))
                .send("GET", "")
            guard answer.status == 200 else {
                throw .unusable("\(source): answered with status \(answer.status)")
            }
            do throws(JSONError) {
                json = try JSONValue.parse(answer.bytes)
            } catch {
                throw .json(path: source, error)
            }
        } else {
            json = try JSONFile.read(report ?? "")
        }
        do throws(JSONShapeError) {
            return try DriftReading(json: JSONView(json))
        } catch {
            throw .shape(path: source, error)
        }
    }

    private func target() throws(TrainingError) -> RetrainTarget {
        guard let webhook else {
            var values: [String: String] = [:]
            for text in variables {
                let parts = text.split(
                    separator: "=",
                    maxSplits: 1,
                    omittingEmptySubsequences: false
                )
                values[String(parts[0])] = String(parts[1])
            }
            return .pipeline(file: pipeline, folder: workDir, variables: values)
        }
        let client = RemoteClient(
            base: webhook,
            authorization: try token().map { "Bearer \($0)" },
            fields: webhookHeader.compactMap(Self.field),
            timeoutSeconds: Double(timeout)
        )
        return .webhook(client, method: webhookMethod, body: try webhookBody.map(Self.text))
    }

    private func token() throws(TrainingError) -> String? {
        var token: String?
        if let tokenVariable {
            token = ProcessInfo.processInfo.environment[tokenVariable]
            guard token != nil else { throw .unusable("\(tokenVariable) is not set") }
        }
        if let tokenFile { token = try Self.text(tokenFile) }
        guard let token else { return nil }
        let trimmed = token.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !trimmed.isEmpty, trimmed.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw .unusable("the token is empty or no token")
        }
        return trimmed
    }

    private func memory() throws(TrainingError) -> RetrainMemory {
        do throws(FileError) {
            return try RetrainMemory.open("\(stateDir)/retrain.jsonl")
        } catch {
            throw .file(error)
        }
    }

    private func lock() throws(TrainingError) -> FileLock {
        do throws(FileError) {
            try FileAccess.makeDirectory(stateDir)
            let lock = try FileLock("\(stateDir)/retrain.lock")
            if try lock.take() { return lock }
        } catch {
            throw .file(error)
        }
        throw .unusable("\(stateDir): another pdm retrain is at work")
    }

    private static func text(_ path: String) throws(TrainingError) -> String {
        do throws(FileError) {
            return String(decoding: try FileAccess.read(path, byteCountMax: 1 << 20), as: UTF8.self)
        } catch {
            throw .file(error)
        }
    }

    /// The parts of a header field; nil where it has no name, or bytes that end it early.
    private static func field(_ text: String) -> (name: String, value: String)? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, isToken(String(parts[0])),
            parts[1].utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        return (String(parts[0]), parts[1].trimmingCharacters(in: .whitespaces))
    }

    private static func isToken(_ text: String) -> Bool {
        let marks = "!#$%&'*+-.^_`|~".utf8
        return !text.isEmpty
            && text.utf8.allSatisfy { byte in
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || marks.contains(byte)
                    || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
            }
    }

    private static func isWebAddress(_ text: String) -> Bool {
        (text.hasPrefix("http://") || text.hasPrefix("https://")) && !text.contains("@")
    }

    /// Whether an address is encrypted, or of this machine.
    private static func keepsSecrets(_ text: String) -> Bool {
        guard text.hasPrefix("http://") else { return true }
        let host = text.dropFirst("http://".count).prefix { !"/:?".contains($0) }
        return ["127.0.0.1", "localhost"].contains(host)
    }
}
