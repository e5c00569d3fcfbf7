// SPDX-License-Identifier: MIT

internal import Features
internal import HTTPServer

/// What is done with fields of a reading that the schema does not know.
enum UnknownFieldPolicy: String, Sendable, CaseIterable {
    /// They are ignored, counted and listed in the answer's `quality`.
    case ignore
    /// The request is answered 422.
    case reject
}

/// All that the server can be told, with its defaults; ``Setting`` describes each.
struct Settings: Sendable {
    var host = "127.0.0.1"
    var port: UInt16? = 5000
    var adminHost = "127.0.0.1"
    var adminPort: UInt16?
    var modelDirectory = "models"
    var model: String?
    /// Nil takes bundles without a signature.
    var bundlePublicKey: String?
    /// Nil keeps state in memory only.
    var stateDirectory: String?
    var stateWait = Duration.zero
    var stateSyncInterval = Duration.seconds(1)
    /// Nil takes one per usable core.
    var eventLoopCount: Int?
    var drainDelay = Duration.zero
    var drainTimeout = Duration.seconds(30)
    var logLevel = LogLevel.info
    var logFormat = LogFormat.json
    var accessLog = Toggle.off
    /// Nil sends nothing.
    var collector: CollectorAddress?
    /// Requests in a hundred that become spans where their callers say nothing.
    var tracePercent = 1
    /// Predictions in a hundred that become events.
    var eventPercent = 100
    /// Nil keeps no predictions.
    var decisionDirectory: String?
    var decisionLimits = DecisionLogLimits()
    /// Bytes of records that each event loop may have for the log.
    var decisionBufferBytes = 4 << 20
    /// Bytes of events that are kept beside the log.
    var feedbackBytesMax = 64 << 20
    var service = ServiceLimits()
    var http = ServerLimits()
    var tlsPort: UInt16?
    var tlsCertificate: String?
    var tlsKey: String?
    var tlsClientAuthority: String?
    var reusesPort = Toggle.off
    var contract = ContractRoutes()

    /// What the TLS listener needs, where there is one.
    var tls: TLSConfiguration? {
        guard tlsPort != nil, let tlsCertificate, let tlsKey else { return nil }
        return TLSConfiguration(
            certificatePath: tlsCertificate,
            keyPath: tlsKey,
            clientAuthorityPath: tlsClientAuthority
        )
    }
}

/// Whether something is done.
enum Toggle: String, Sendable, CaseIterable {
    case on, off
}

/// Bounds and rules of the prediction service.
struct ServiceLimits: Sendable {
    var unknownFields = UnknownFieldPolicy.ignore
    /// Nil lets readings lie ahead of the clock without limit.
    var futureLimit: Duration? = .seconds(300)
    var machinesMax = 1_000_000
    /// Nil where this server keeps all machines.
    var shard: FleetShard?
    /// Whether a reading without `history` is refused, where machines have windows.
    var requiresHistory = Toggle.off
    /// How far a new version may move the risk levels, as a population stability index; nil watches
    /// none.
    var quarantineShift: Double? = 0.25
    /// Readings that both versions answered before that is judged.
    var quarantineReadings = 1000
    /// How long the version before computes beside a new one.
    var probation = Duration.seconds(3600)
    /// Time without a reading after which a machine counts as silent.
    var silentAfter = Duration.seconds(10_800)
    var batchRowsMax = 10_000
    var batchBytesMax = 16 << 20
    /// Of bodies, and of answers that may be tens of times as large.
    var batchBytesPendingMax = 256 << 20
    var historyRowsMax = 10_000
    /// Explanations that wait or are worked on; an exact one of six groups takes some 2 ms.
    var explanationsMax = 64
    /// How long after its request's arrival an explanation is given up.
    var explainTimeout = Duration.seconds(1)
    /// Bodies of batches and readings above this leave the event loop: 8 KiB are some 50 rows, or
    /// 0.3 ms.
    var inlineBatchBytesMax = 8 << 10
    /// Readings of batches above this leave the event loop, however few their bytes are: a whole
    /// reading takes 128 bytes or more, and one of two bytes costs as much.
    var inlineBatchRowsMax: Int { inlineBatchBytesMax / 128 }
    /// Bytes of a line of a streamed batch: as many as of a request with one reading.
    var lineBytesMax = 1 << 20
    /// Lines of a streamed batch above this leave the event loop: ten rows, or 30 us.
    var inlineLineBytesMax = 2 << 10
    /// As ``inlineBatchRowsMax``.
    var inlineLinesMax: Int { inlineLineBytesMax / 128 }
    /// Unknown fields that an object of a request may have.
    var unknownFieldsMax = 256
    /// Unknown fields of a row that the answer names: no setting, since clients know answers by it.
    let unknownFieldsListedMax = 8
    /// Bytes of an unknown field's name that the answer tells; as above.
    let unknownNameBytesMax = 64
    /// Events of one request.
    let feedbackEventsMax = 1000
    /// Errors of a request that the answer lists.
    var problemsListedMax = 32
    /// Errors that the answer to a batch lists where its readings fail one by one, or 100 KB: more
    /// than anybody reads, and no lever for readings of three bytes that lack 256 sensors.
    static let batchProblemsListedMax = 1000
    var drift = DriftSettings()
    /// How often MODEL_DIR is looked at.
    var modelScanInterval = Duration.seconds(2)
}
