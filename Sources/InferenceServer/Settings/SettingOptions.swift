// SPDX-License-Identifier: MIT

internal import ArgumentParser

/// The flags of all settings, as text; ``Setting`` reads the texts.
struct SettingOptions: ParsableArguments {
    @Option(name: name(0), help: help(0)) var host: String?
    @Option(name: name(1), help: help(1)) var port: String?
    @Option(name: name(2), help: help(2)) var adminHost: String?
    @Option(name: name(3), help: help(3)) var adminPort: String?
    @Option(name: name(4), help: help(4)) var eventLoops: String?
    @Option(name: name(5), help: help(5)) var modelDir: String?
    @Option(name: name(6), help: help(6)) var model: String?
    @Option(name: name(7), help: help(7)) var unknownFields: String?
    @Option(name: name(8), help: help(8)) var futureLimit: String?
    @Option(name: name(9), help: help(9)) var machinesMax: String?
    @Option(name: name(10), help: help(10)) var drainDelay: String?
    @Option(name: name(11), help: help(11)) var drainTimeout: String?
    @Option(name: name(12), help: help(12)) var logLevel: String?
    @Option(name: name(13), help: help(13)) var logFormat: String?
    @Option(name: name(14), help: help(14)) var batchRowsMax: String?
    @Option(name: name(15), help: help(15)) var batchBytesMax: String?
    @Option(name: name(16), help: help(16)) var batchBytesPendingMax: String?
    @Option(name: name(17), help: help(17)) var historyRowsMax: String?
    @Option(name: name(18), help: help(18)) var bodyBytesMax: String?
    @Option(name: name(19), help: help(19)) var headBytesMax: String?
    @Option(name: name(20), help: help(20)) var targetBytesMax: String?
    @Option(name: name(21), help: help(21)) var fieldsMax: String?
    @Option(name: name(22), help: help(22)) var connectionsMax: String?
    @Option(name: name(23), help: help(23)) var pipelinedRequestsMax: String?
    @Option(name: name(24), help: help(24)) var outputBytesMax: String?
    @Option(name: name(25), help: help(25)) var retryAfter: String?
    @Option(name: name(26), help: help(26)) var headTimeout: String?
    @Option(name: name(27), help: help(27)) var bodyTimeout: String?
    @Option(name: name(28), help: help(28)) var idleTimeout: String?
    @Option(name: name(29), help: help(29)) var writeTimeout: String?
    @Option(name: name(30), help: help(30)) var queueDelayMax: String?
    @Option(name: name(31), help: help(31)) var queueDelayInterval: String?
    @Option(name: name(32), help: help(32)) var tlsPort: String?
    @Option(name: name(33), help: help(33)) var tlsCertificate: String?
    @Option(name: name(34), help: help(34)) var tlsKey: String?
    @Option(name: name(35), help: help(35)) var tlsClientCa: String?
    @Option(name: name(36), help: help(36)) var tlsHandshakeTimeout: String?
    @Option(name: name(37), help: help(37)) var tlsHandshakesMax: String?
    @Option(name: name(38), help: help(38)) var reusePort: String?
    @Option(name: name(39), help: help(39)) var encodedBytesMin: String?
    @Option(name: name(40), help: help(40)) var answerTimeout: String?
    @Option(name: name(41), help: help(41)) var stateDir: String?
    @Option(name: name(42), help: help(42)) var stateWait: String?
    @Option(name: name(43), help: help(43)) var stateSync: String?
    @Option(name: name(44), help: help(44)) var explanationsMax: String?
    @Option(name: name(45), help: help(45)) var explainTimeout: String?

    /// The texts in the order of ``Setting/all``; nil where a flag is absent.
    var texts: [String?] {
        [
            host, port, adminHost, adminPort, eventLoops, modelDir, model, unknownFields,
            futureLimit, machinesMax, drainDelay, drainTimeout, logLevel, logFormat,
            batchRowsMax, batchBytesMax, batchBytesPendingMax, historyRowsMax, bodyBytesMax,
            headBytesMax, targetBytesMax, fieldsMax, connectionsMax, pipelinedRequestsMax,
            outputBytesMax, retryAfter, headTimeout, bodyTimeout, idleTimeout, writeTimeout,
            queueDelayMax, queueDelayInterval,
            tlsPort, tlsCertificate, tlsKey, tlsClientCa, tlsHandshakeTimeout, tlsHandshakesMax,
            reusePort, encodedBytesMin, answerTimeout, stateDir, stateWait,
            stateSync, explanationsMax, explainTimeout,
        ]
    }

    private static func name(_ index: Int) -> NameSpecification {
        .customLong(Setting.all[index].flag)
    }

    private static func help(_ index: Int) -> ArgumentHelp {
        ArgumentHelp("\(Setting.all[index].help)", valueName: "value")
    }
}
