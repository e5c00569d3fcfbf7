// SPDX-License-Identifier: MIT

/// What a look at every record of a state file found.
package struct StateCheck: Equatable, Sendable {
    /// Machines whose record is sound, torn panes aside.
    package var machineCount = 0
    /// Records of which nothing can be believed.
    package var tornRecordCount = 0
    /// Panes that are not what was written.
    package var tornPaneCount = 0

    /// Whether nothing is torn.
    package var isSound: Bool { tornRecordCount == 0 && tornPaneCount == 0 }
}

extension StateFile {
    /// Looks at every record and changes none; `body` gets those that are sound, with their torn
    /// panes emptied.
    package func check<Failure: Error>(
        _ body: (_ words: [UInt64]) throws(Failure) -> Void
    ) throws(Failure) -> StateCheck {
        var check = StateCheck()
        var used: [(record: Int, hash: UInt64)] = []
        forEachUsed { used.append(($0, $1)) }
        var words = [UInt64](repeating: 0, count: records.wordCount)
        for (record, hash) in used {
            load(record, into: &words)
            guard let torn = tornPanes(of: &words, hash: hash) else {
                check.tornRecordCount += 1
                continue
            }
            check.machineCount += 1
            check.tornPaneCount += torn
            try body(words)
        }
        return check
    }

    /// Empties the torn panes and counts them; nil where the record itself is torn.
    private func tornPanes(of words: inout [UInt64], hash: UInt64) -> Int? {
        var span = words.mutableSpan
        guard records.isHeaderSound(&span),
            hashBytes(records.id(span).span, seed: seed) == hash
        else { return nil }
        return records.emptyTornPanes(&span).count
    }
}

extension StateDirectory {
    /// Opens the file of a layout without a model, for whoever holds the lock.
    ///
    /// - Throws: ``StateFileError``.
    package func file(ofDigest digest: String) throws(StateFileError) -> StateFile {
        try StateFile(
            path: filePath(ofDigest: digest),
            description: try description(ofDigest: digest),
            machinesMax: 0
        )
    }
}
