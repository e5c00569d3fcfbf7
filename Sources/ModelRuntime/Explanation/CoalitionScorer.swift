// SPDX-License-Identifier: MIT

internal import Features

/// Takes coalitions of one reading's sensors through features and network, block by block.
struct CoalitionScorer: ~Copyable {
    /// Rows that go through the network together.
    private static let blockRows = 48

    private let explainer: Explainer
    private var composer: ReadingComposer
    private let forward: ForwardScratch
    private var rows: [Float] = []
    private var places: [Int] = []
    private var logits: [Float] = []
    private var reading: ObservedReading?
    private var lender: ObservedReading?
    private var players: [Int] = []
    /// By player, whether the reading's own sensors are in.
    private var isPresent: [Bool] = []

    init(_ explainer: Explainer) {
        self.explainer = explainer
        composer = ReadingComposer(engine: explainer.engine)
        forward = ForwardScratch(for: explainer.network)
    }

    /// Whether it is time to score what was appended.
    var isFull: Bool { places.count >= Self.blockRows }

    /// Starts with the coalition of no player: the lender's sensors at the reading's time.
    mutating func begin(
        _ reading: ObservedReading,
        lentBy lender: ObservedReading,
        _ players: [Int]
    ) {
        self.reading = reading
        self.lender = lender
        self.players = players
        isPresent = players.map { _ in false }
        composer.begin(with: reading)
        for player in players {
            composer.take(explainer.groups[player].sensors, from: lender)
        }
    }

    /// Lets a player join, or leave again.
    mutating func toggle(_ player: Int) {
        isPresent[player].toggle()
        guard let source = isPresent[player] ? reading : lender else { return }
        composer.take(explainer.groups[players[player]].sensors, from: source)
    }

    /// Appends the row of the present coalition, which is known by its place.
    mutating func append(place: Int) {
        composer.appendRow(to: &rows)
        places.append(place)
    }

    /// Hands out the log-odds of what was appended, and forgets it.
    mutating func score(_ body: (_ place: Int, _ logOdds: Double) -> Void) {
        guard !places.isEmpty else { return }
        logits = Array(repeating: 0, count: places.count)
        var results: [Float] = []
        swap(&results, &logits)
        var target = results.mutableSpan
        explainer.network.forward(rows: rows.span, into: &target, scratch: forward)
        swap(&results, &logits)
        for (index, place) in places.enumerated() {
            body(place, explainer.calibration.logOdds(ofLogit: logits[index]))
        }
        rows.removeAll(keepingCapacity: true)
        places.removeAll(keepingCapacity: true)
    }
}
