// SPDX-License-Identifier: MIT

package import JSON

/// Which versions of a model serve, and how that came: `registry.json` in its folder.
///
/// `pdm registry` replaces the file by rename; a server only reads it.
package struct ModelRegistry: Equatable, Sendable {
    /// A version that is tried beside the champion.
    package struct Challenger: Equatable, Sendable {
        /// What it gets to answer.
        package enum Mode: Equatable, Sendable {
            /// It is computed for every machine and answers none.
            case shadow
            /// It answers this share of the machines, above 0 and below 1.
            case share(Double)
        }

        /// Which version.
        package let version: BundleVersion
        /// What it gets to answer.
        package let mode: Mode

        /// Describes a challenger.
        package init(version: BundleVersion, mode: Mode) {
            self.version = version
            self.mode = mode
        }
    }

    /// One change: who did what, when, and why.
    package struct Event: Equatable, Sendable {
        /// What was done.
        package enum Action: String, Sendable, CaseIterable {
            /// The version became champion.
            case promote
            /// The version became champion again, in the place of its successor.
            case rollback
            /// The version became challenger.
            case challenge
            /// The version is challenger no longer.
            case withdraw
        }

        /// What was done.
        package let action: Action
        /// To which version.
        package let version: BundleVersion
        /// The champion before, where the action changed it.
        package let previous: BundleVersion?
        /// When, microseconds since the epoch.
        package let microseconds: Int64
        /// By whom.
        package let author: String
        /// Why.
        package let reason: String
        /// What the version's evaluation said then.
        package let metrics: JSONObject
        /// In what it was meant to differ from the champion.
        package var allowed: [DifferenceKind] = []
    }

    /// The champion, which answers.
    package private(set) var champion: BundleVersion
    /// The version that is tried beside it.
    package private(set) var challenger: Challenger?
    /// Every change, the oldest first.
    package private(set) var history: [Event]

    init(champion: BundleVersion, challenger: Challenger?, history: [Event]) {
        self.champion = champion
        self.challenger = challenger
        self.history = history
    }

    /// Begins a registry with a champion that needs no promotion: it serves already.
    package init(champion: BundleVersion, metrics: JSONObject, _ note: Note) {
        self.init(champion: champion, challenger: nil, history: [])
        add(.promote, champion, previous: nil, metrics, note)
    }

    /// The version that a rollback goes back to: the champion's predecessor, and once that serves
    /// again its own; nil where the history names none.
    package var predecessor: BundleVersion? {
        var line: [BundleVersion] = []
        for event in history {
            switch event.action {
            case .promote:
                // What served before the registry began is in no event of its own.
                if line.isEmpty, let previous = event.previous { line.append(previous) }
                line.append(event.version)
            case .rollback: _ = line.popLast()
            case .challenge, .withdraw: break
            }
        }
        return line.count > 1 ? line[line.count - 2] : nil
    }

    /// Whether a version was meant to differ so when it was last promoted or tried.
    package func allows(_ difference: DifferenceKind, of version: BundleVersion) -> Bool {
        let last = history.last {
            $0.version == version && ($0.action == .promote || $0.action == .challenge)
        }
        return last?.allowed.contains(difference) ?? false
    }

    /// Who did something, when, why, and what was meant.
    package struct Note: Sendable {
        /// When, microseconds since the epoch.
        package var microseconds: Int64
        /// By whom.
        package var author: String
        /// Why.
        package var reason: String
        /// In what the version is meant to differ from the champion.
        package var allowed: [DifferenceKind]

        /// Describes an occasion.
        package init(
            microseconds: Int64,
            author: String,
            reason: String,
            allowed: [DifferenceKind] = []
        ) {
            self.microseconds = microseconds
            self.author = author
            self.reason = reason
            self.allowed = allowed
        }
    }

    /// Makes a version the champion; a challenger of that version has reached its aim.
    ///
    /// - Throws: ``RegistryError`` where it is champion already.
    package mutating func promote(
        _ version: BundleVersion,
        metrics: JSONObject,
        _ note: Note
    ) throws(RegistryError) {
        guard version != champion else { throw .isChampion(version) }
        add(.promote, version, previous: champion, metrics, note)
        champion = version
        if challenger?.version == version { challenger = nil }
    }

    /// Makes the champion's predecessor champion again.
    ///
    /// - Throws: ``RegistryError`` where there is none.
    package mutating func rollBack(metrics: JSONObject, _ note: Note) throws(RegistryError) {
        guard let version = predecessor else { throw .noPredecessor(champion) }
        add(.rollback, version, previous: champion, metrics, note)
        champion = version
        if challenger?.version == version { challenger = nil }
    }

    /// Tries a version beside the champion, in the place of any other that is tried.
    ///
    /// - Throws: ``RegistryError`` where it is the champion, or the share is none.
    package mutating func challenge(
        _ challenger: Challenger,
        metrics: JSONObject,
        _ note: Note
    ) throws(RegistryError) {
        guard challenger.version != champion else { throw .isChampion(champion) }
        if case .share(let share) = challenger.mode, !(share > 0 && share < 1) {
            throw .share(share)
        }
        add(.challenge, challenger.version, previous: nil, metrics, note)
        self.challenger = challenger
    }

    /// Ends the trial of the challenger.
    ///
    /// - Throws: ``RegistryError`` where there is none.
    package mutating func withdraw(_ note: Note) throws(RegistryError) {
        guard let version = challenger?.version else { throw .noChallenger }
        add(.withdraw, version, previous: nil, JSONObject(), note)
        challenger = nil
    }

    private mutating func add(
        _ action: Event.Action,
        _ version: BundleVersion,
        previous: BundleVersion?,
        _ metrics: JSONObject,
        _ note: Note
    ) {
        history.append(
            Event(
                action: action,
                version: version,
                previous: previous,
                microseconds: note.microseconds,
                author: note.author,
                reason: note.reason,
                metrics: metrics,
                allowed: note.allowed
            )
        )
    }
}
