// SPDX-License-Identifier: MIT

internal import Features
internal import ModelRuntime
internal import Synchronization

/// Takes decoded rows through state, features and network; one per event loop or batch worker.
struct RowPredictor: ~Copyable {
    /// What a record says of its machine's alarm before a reading's prediction.
    enum AlarmNote {
        /// The row comes with a history of its own, or machines have no records.
        case none
        /// Nothing.
        case quiet
        /// There is one, or a prediction that speaks for one.
        case remembered
    }

    /// What a row came to, beyond its flags and window fill.
    struct Outcome {
        /// The reading's moment, microseconds since the epoch.
        var timestamp: Int64
        var admission: Admission
        /// Probability of failure within the horizon.
        var probability: Double
        var prediction: Int
        var riskLevel: RiskLevel
        /// What the machine's record said of an alarm.
        var alarmNote: AlarmNote
        /// When the machine's alarm began; nil while there is none.
        var alarmSince: Int64?
        /// Where the machine is kept whose last reading this is; nil for any other row.
        var place: MachinePlace?
        /// Whether the machine's risk is high and was not before.
        var hasTurnedHigh = false
        /// How far the machine's record has come with it.
        var standing = RecordStanding()
        /// Whether the answer is that of the model on trial beside the one in service.
        var isFromTrial = false
    }

    /// By row; a refused row's entry has no meaning.
    private(set) var outcomes: [Outcome] = []
    /// By row, then sensor.
    private(set) var flags: [SensorFlags] = []
    /// By row, then window.
    private(set) var windowFill: [Double] = []

    /// Whether what is noted of a reading is kept, for an explanation.
    var notesReadings = false
    /// What was noted of the last reading that was to be kept.
    private(set) var noted: ObservedReading?
    /// Computes a second model's answers; usually there is none.
    private var trial: TrialPredictor?
    /// Whether a machine's risk was noted in this block: what was seen of marks before may be out
    /// of date.
    private var hasMarked = false
    /// Rows of the block that got no finite answer.
    private var failed: [Int] = []

    let engine: FeatureEngine
    private let network: Network
    private var drift: DriftTap?
    var scratch: FeatureScratch
    private var forward: ForwardScratch
    /// The record of requests that bring their own history.
    var lone: [UInt64] = []
    /// Scaled rows [row][feature] of the block that is scored.
    private var matrix: [Float] = []
    private var logits: [Float] = []
    /// Rows that go through the network together: as many as it takes through all layers at once,
    /// so that their features are still in the first cache.
    private static let blockRows = 48

    /// `slot` is the writer's share of the counters.
    init(model: ServedModel, slot: Int) {
        engine = model.engine.copy()
        network = model.network
        drift = model.drift?.sketches.makeTap()
        scratch = engine.makeScratch()
        forward = ForwardScratch(for: network)
        if let second = model.trial {
            trial = TrialPredictor(second, beside: &scratch, slot: slot)
        }
    }

    /// What was noted of the last reading by the model that answered it.
    mutating func takeNoted() -> ObservedReading? {
        guard outcomes[0].isFromTrial else { return noted }
        return trial?.takeNoted()
    }

    /// Scores the rows in order; one that finds no room, or gets no finite answer, is refused in
    /// its place.
    mutating func score(_ rows: inout ReadingRows, model: ServedModel, moment: RequestMoment) {
        moment.trace?.add(rowCount: rows.rows.count)
        makeRoom(for: rows.rows.count)
        var first = 0
        while first < rows.rows.count {
            let block = first..<min(first + Self.blockRows, rows.rows.count)
            scoreBlock(block, &rows, model, model.state, moment)
            first = block.upperBound
        }
    }

    /// Makes room for the outcomes of so many rows; what stands there is overwritten.
    private mutating func makeRoom(for rowCount: Int) {
        let missing = rowCount - outcomes.count
        guard missing > 0 else { return }
        let none = Outcome(
            timestamp: 0,
            admission: .inOrder,
            probability: 0,
            prediction: 0,
            riskLevel: .low,
            alarmNote: .none
        )
        outcomes.append(contentsOf: repeatElement(none, count: missing))
        let flagCount = missing * scratch.flags.count
        flags.append(contentsOf: repeatElement([], count: flagCount))
        let windowCount = missing * scratch.windowCount
        windowFill.append(contentsOf: repeatElement(0, count: windowCount))
    }

    private mutating func scoreBlock(
        _ block: Range<Int>,
        _ rows: inout ReadingRows,
        _ model: ServedModel,
        _ state: StateStore?,
        _ moment: RequestMoment
    ) {
        var mark = moment.mark
        resizeMatrix(rows: block.count)
        trial?.begin()
        if let state {
            for index in block {
                scratch.place = nil
                let admission = takeIn(index, &rows, state, moment.arrival)
                moment.end(.state, since: &mark)
                finishRow(index, block, rows, admission, moment.arrival)
                moment.end(.features, since: &mark)
            }
        } else {
            for index in block {
                scratch.place = nil
                let admission = takeAlone(index, rows, moment.arrival)
                moment.end(.state, since: &mark)
                finishRow(index, block, rows, admission, moment.arrival)
                moment.end(.features, since: &mark)
            }
        }
        runNetwork(block, model)
        moment.end(.forward, since: &mark)
        if !failed.isEmpty { refuseFailed(&rows) }
        if drift?.isDue(block.count) == true {
            let features = block.count > 1 ? matrix : scratch.row
            drift?.take(block, rows, outcomes, features, logits)
        }
        if let state, model.alarms != nil || model.trial != nil {
            updateAlarms(block, rows, model, state)
        }
    }

    /// Computes a row's features from what was noted of its reading.
    private mutating func finishRow(
        _ index: Int,
        _ block: Range<Int>,
        _ rows: borrowing ReadingRows,
        _ admission: Admission,
        _ arrival: Int64
    ) {
        if notesReadings { noted = scratch.observed }
        trial?.take(index, in: block, rows, scratch, notes: notesReadings)
        engine.finishRow(&scratch)
        // A row by itself goes into the network from where it is.
        if block.count > 1 {
            scratch.copyRow(to: &matrix, from: (index - block.lowerBound) * network.inputs)
        }
        Self.keep(index, scratch, &flags, &windowFill)
        outcomes[index] = Outcome(
            timestamp: rows.rows[index].timestamp ?? arrival,
            admission: admission,
            probability: 0,
            prediction: 0,
            riskLevel: .low,
            // Of a stale reading the record is not looked at.
            alarmNote: rows.rows[index].history != nil
                ? .none : scratch.remembersAlarm || admission == .stale ? .remembered : .quiet,
            place: admission == .inOrder ? scratch.place : nil,
            standing: scratch.standing
        )
    }

    /// Refuses the rows that got no finite answer.
    private mutating func refuseFailed(_ rows: inout ReadingRows) {
        for index in failed where rows.refused[index] == nil {
            rows.refused[index] = .noFiniteAnswer
        }
        failed.removeAll()
    }

    /// Lets each machine's alarm see its predictions, in the order of the rows.
    ///
    /// Most machines are healthy: where the record said nothing of an alarm and the prediction says
    /// nothing either, there is nothing to be written, and no lock is taken.
    private mutating func updateAlarms(
        _ block: Range<Int>,
        _ rows: borrowing ReadingRows,
        _ model: ServedModel,
        _ state: StateStore
    ) {
        let (own, second) = (model.alarms, model.trial?.model.alarms)
        // From the first row that writes on, what was noted of later ones may be out of date.
        var hasWritten = false
        for index in block {
            let note = outcomes[index].alarmNote
            let probability = outcomes[index].probability
            if note == .none { continue }
            guard let alarms = outcomes[index].isFromTrial ? second : own else { continue }
            if note == .quiet, !hasWritten, probability < alarms.rule.clear { continue }
            if !rows.refused.isEmpty, rows.refused[index] != nil { continue }
            let isInOrder = outcomes[index].admission == .inOrder
            hasWritten = hasWritten || isInOrder
            outcomes[index].alarmSince =
                state.observeAlarm(
                    isInOrder ? probability : nil,
                    at: outcomes[index].timestamp,
                    by: alarms,
                    id: rows.ids.span.extracting(rows.rows[index].id)
                ).since
        }
    }

    /// Makes the matrix one of so many rows, whose content has no meaning.
    private mutating func resizeMatrix(rows: Int) {
        let missing = rows * network.inputs - matrix.count
        if missing > 0 { matrix.append(contentsOf: repeatElement(0, count: missing)) }
        if missing < 0 { matrix.removeLast(-missing) }
    }

    /// Copies what the scratch says of a row, beside its features.
    private static func keep(
        _ index: Int,
        _ scratch: borrowing FeatureScratch,
        _ flags: inout [SensorFlags],
        _ windowFill: inout [Double]
    ) {
        let flagCount = scratch.flags.count
        for sensor in 0..<flagCount { flags[index * flagCount + sensor] = scratch.flags[sensor] }
        scratch.copyWindowFill(to: &windowFill, from: index * scratch.windowCount)
    }

    private mutating func runNetwork(_ block: Range<Int>, _ model: ServedModel) {
        hasMarked = false
        if block.count == 1 {
            var logit = InlineArray<1, Float>(repeating: 0)
            var target = logit.mutableSpan
            network.forward(rows: scratch.row.span, into: &target, scratch: forward)
            if logits.isEmpty { logits.append(0) }
            logits[0] = logit[0]
            trial?.runNetwork(scratch.row)
            return decide(block.lowerBound, 0, logit[0], model)
        }
        while logits.count < block.count { logits.append(0) }
        if logits.count > block.count { logits.removeLast(logits.count - block.count) }
        var results: [Float] = []
        swap(&results, &logits)
        var target = results.mutableSpan
        network.forward(rows: matrix.span, into: &target, scratch: forward)
        swap(&results, &logits)
        trial?.runNetwork(matrix)
        for index in block {
            let place = index - block.lowerBound
            decide(index, place, logits[place], model)
        }
    }

    private mutating func decide(
        _ index: Int,
        _ place: Int,
        _ logit: Float,
        _ model: ServedModel
    ) {
        var decision = model.decision(ofLogit: logit)
        if trial != nil || !logit.isFinite {
            if !logit.isFinite { model.faults.add(1, ordering: .relaxed) }
            let settled = settle(index, place, decision, isFinite: logit.isFinite)
            guard let settled else { return }
            decision = settled
        }
        outcomes[index].probability = decision.probability
        outcomes[index].prediction = decision.prediction
        outcomes[index].riskLevel = decision.riskLevel
        outcomes[index].hasTurnedHigh = note(
            decision.riskLevel,
            outcomes[index].place,
            model
        )
    }

    /// Whose answer to a row counts, where there are two or the first one is none; nil for neither.
    private mutating func settle(
        _ index: Int,
        _ place: Int,
        _ decision: ServedModel.Decision,
        isFinite: Bool
    ) -> ServedModel.Decision? {
        let alone: TrialPredictor.Settlement = isFinite ? .first(decision) : .neither
        switch trial?.settle(place, decision, isFinite: isFinite) ?? alone {
        case .first(let decision): return decision
        case .second(let decision):
            outcomes[index].isFromTrial = true
            return decision
        case .neither:
            failed.append(index)
            return nil
        }
    }

    /// Notes a machine's risk where it has changed.
    ///
    /// - Returns: Whether it has become high.
    private mutating func note(
        _ riskLevel: RiskLevel,
        _ place: MachinePlace?,
        _ model: ServedModel
    ) -> Bool {
        guard let place else { return false }
        let mark = model.mark(riskLevel)
        guard hasMarked || place.mark != mark else { return false }
        hasMarked = true
        return model.state?.mark(place, mark) == true && riskLevel == .high
    }
}
