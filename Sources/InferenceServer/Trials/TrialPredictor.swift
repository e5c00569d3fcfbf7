// SPDX-License-Identifier: MIT

internal import Features
internal import ModelRuntime

/// Computes the second model's answers to the rows that a predictor takes in.
struct TrialPredictor: ~Copyable {
    let trial: Trial
    private let slot: Int
    private let network: Network
    /// Makes its rows; nil where they are those of the first model.
    private var companion: CompanionRows?
    private var forward: ForwardScratch
    /// The rows of the block that it computes, by their places in the block.
    private var members: [Int] = []
    private var matrix: [Float] = []
    private var logits: [Float] = []
    /// How many of the block's answers have been asked for.
    private var next = 0
    /// What was noted of the last reading, for an explanation.
    private var noted: ObservedReading?

    /// `scratch` is the working memory of the engine that takes the readings in.
    init(_ trial: Trial, beside scratch: inout FeatureScratch, slot: Int) {
        self.trial = trial
        self.slot = slot
        network = trial.model.network
        forward = ForwardScratch(for: network)
        if !trial.sharesRows {
            companion = CompanionRows(of: trial.model.engine.copy(), beside: &scratch)
        }
    }

    /// Forgets the block before.
    mutating func begin() {
        members.removeAll(keepingCapacity: true)
        matrix.removeAll(keepingCapacity: true)
        next = 0
    }

    /// Notes what its row of a reading needs, before the first model's row is finished.
    mutating func take(
        _ index: Int,
        in block: Range<Int>,
        _ rows: borrowing ReadingRows,
        _ scratch: borrowing FeatureScratch,
        notes: Bool
    ) {
        if !rows.refused.isEmpty, rows.refused[index] != nil { return }
        guard answers(index, rows) ?? true else { return }
        members.append(index - block.lowerBound)
        if companion == nil {
            if notes { noted = scratch.observed }
            return
        }
        companion?.take(scratch)
        if notes { noted = companion?.observed }
        companion?.appendRow(to: &matrix)
    }

    /// Hands out what was noted of the last reading.
    mutating func takeNoted() -> ObservedReading? { noted.take() }

    /// Whether the second model answers a row; nil where it answers none.
    private func answers(_ index: Int, _ rows: borrowing ReadingRows) -> Bool? {
        guard let share = trial.share else { return nil }
        let id = rows.ids.span.extracting(rows.rows[index].id)
        if !id.isEmpty { return share.contains(id) }
        let first = index * rows.sensorCount
        return share.contains(values: rows.values[first..<first + rows.sensorCount])
    }

    /// Takes the block through the network; `block` are the first model's rows.
    mutating func runNetwork(_ block: [Float]) {
        guard !members.isEmpty else { return }
        if companion == nil {
            let width = network.inputs
            for member in members {
                matrix.append(contentsOf: block[member * width..<(member + 1) * width])
            }
        }
        while logits.count < members.count { logits.append(0) }
        if logits.count > members.count { logits.removeLast(logits.count - members.count) }
        var results: [Float] = []
        swap(&results, &logits)
        var target = results.mutableSpan
        network.forward(rows: matrix.span, into: &target, scratch: forward)
        swap(&results, &logits)
    }

    /// Compares the two answers to a row of the block, asked for in order, and says which counts.
    mutating func settle(
        _ place: Int,
        _ decision: ServedModel.Decision,
        isFinite: Bool
    ) -> Settlement {
        guard next < members.count, members[next] == place else {
            return isFinite ? .first(decision) : .neither
        }
        let logit = logits[next]
        next += 1
        let own = trial.model.decision(ofLogit: logit)
        guard logit.isFinite, isFinite else {
            return settleFailure(isFinite ? decision : nil, logit.isFinite ? own : nil)
        }
        if trial.judgesSecond {
            trial.counts.add(own, decision, slot: slot)
        } else {
            trial.counts.add(decision, own, slot: slot)
        }
        return trial.share == nil ? .first(decision) : .second(own)
    }

    /// Whose answer counts where one of them at least is no finite number.
    private func settleFailure(
        _ first: ServedModel.Decision?,
        _ second: ServedModel.Decision?
    ) -> Settlement {
        let onTrial = trial.judgesSecond ? second : first
        if onTrial == nil { trial.counts.addFailure(slot: slot) }
        if let first { return .first(first) }
        // A shadow answers nobody, whatever happens.
        guard let second, trial.role != .shadow else { return .neither }
        return .second(second)
    }

    /// Whose answer counts.
    enum Settlement {
        case first(ServedModel.Decision)
        case second(ServedModel.Decision)
        case neither
    }
}
