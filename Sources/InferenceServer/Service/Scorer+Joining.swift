// SPDX-License-Identifier: MIT

/// Readings that have come together in requests of their own: read one by one, scored as a batch
/// when the first is to be answered.
extension Scorer {
    /// Forgets the readings before; those to come arrive at this moment.
    mutating func beginJoined(_ moment: RequestMoment) {
        rows.reset()
        decoder.begin(arrival: moment.arrival)
        joinedMoment = moment
        areJoinedScored = false
        tracedJoined = 0
    }

    /// Has the group's stages noted, for one of its readings.
    mutating func traceJoined(_ index: Int) {
        // A group is no larger than a loop lets it be; of a larger one the rest is not traced.
        guard index < UInt64.bitWidth else { return }
        tracedJoined |= 1 << UInt64(index)
        if joinedMoment?.trace == nil { joinedMoment?.trace = StageTrace() }
    }

    /// The stages of the group of a reading that is traced.
    func joinedTrace(of index: Int) -> StageTrace? {
        guard tracedJoined != 0, index < UInt64.bitWidth, tracedJoined & 1 << UInt64(index) != 0
        else { return nil }
        return joinedMoment?.trace
    }

    /// Takes a body with one plain reading and returns the row's index; nil for any other.
    mutating func join(_ body: Span<UInt8>) -> Int? {
        do throws(ServiceError) {
            return try decoder.readPlain(body, into: &rows) ? rows.rows.count - 1 : nil
        } catch {
            // It is told when the request is answered.
            rows.removeLastRow()
            return nil
        }
    }

    /// Answers one of the readings.
    ///
    /// - Throws: ``ServiceError/stateFull(limit:)``; it was not taken in then.
    mutating func answerJoined(
        _ index: Int,
        _ body: Span<UInt8>,
        to output: inout [UInt8]
    ) throws(ServiceError) {
        guard let moment = joinedMoment else { preconditionFailure("a group has begun") }
        if !areJoinedScored {
            areJoinedScored = true
            var mark = moment.began
            moment.end(.parse, since: &mark)
            predictor.score(&rows, model: model, moment: moment)
            count(arrival: moment.arrival, tellsRefused: false)
        }
        if !rows.refused.isEmpty, let error = rows.refused[index] { throw error }
        let nanoseconds = moment.elapsedNanoseconds
        append(index, body, .whole, microseconds: nanoseconds / 1000, to: &output)
        let counts = answering(index).counts
        counts.observeLatency(nanoseconds, slot: slot, trace: moment.trace)
    }
}
