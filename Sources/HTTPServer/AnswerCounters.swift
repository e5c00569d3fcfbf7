// SPDX-License-Identifier: MIT

internal import Synchronization

/// How many answers of one status a route has given since the start, over all loops.
package struct AnswerCount: Sendable, Equatable {
    /// The route's method, or nil where no route took the request; HEAD counts as its GET.
    package let method: RequestMethod?
    /// The route's path as the table has it, or nil where no route took the request.
    package let path: String?
    /// The status, or 0 for those that are not told apart.
    package let status: Int
    /// The number of answers.
    package let count: Int
}

/// The answers of one loop by route and status: written by the loop alone, read by anyone.
final class AnswerCounters: Sendable {
    /// The statuses that are told apart; all others share one count.
    static let statuses = [
        200, 201, 202, 204, 207, 304, 400, 401, 403, 404, 405, 406, 408, 409, 411, 412, 413, 414,
        415, 417, 421, 422, 429, 431, 500, 501, 503, 505,
    ]

    /// The answers of one route.
    private final class RouteAnswers: Sendable {
        // One more than there are statuses.
        let counts = InlineArray<29, AtomicBox> { _ in AtomicBox() }
    }

    /// By route, and the requests without one at the end.
    private let routes: [RouteAnswers]

    init(routeCount: Int) {
        routes = (0...routeCount).map { _ in RouteAnswers() }
    }

    /// Counts an answer; only the owning loop calls it, so that a load and a store suffice.
    func count(status: Int, routeIndex: Int?) {
        let route = routes[routeIndex ?? routes.count - 1]
        let slot = Self.slot(of: status)
        let old = route.counts[slot].value.load(ordering: .relaxed)
        route.counts[slot].value.store(old &+ 1, ordering: .relaxed)
    }

    /// Adds the counts to a table by route and place of the status.
    func add(to sums: inout [[Int]]) {
        for (route, answers) in routes.enumerated() {
            for slot in 0..<answers.counts.count {
                sums[route][slot] += answers.counts[slot].value.load(ordering: .relaxed)
            }
        }
    }

    /// The counts that are not 0, of loops with equal routes.
    static func sum(_ counters: [AnswerCounters], routes: [Route]) -> [AnswerCount] {
        let none = [Int](repeating: 0, count: statuses.count + 1)
        var sums = [[Int]](repeating: none, count: routes.count + 1)
        for loop in counters { loop.add(to: &sums) }
        var result: [AnswerCount] = []
        for (index, counts) in sums.enumerated() {
            let route = index < routes.count ? routes[index] : nil
            for (slot, count) in counts.enumerated() where count > 0 {
                result.append(
                    AnswerCount(
                        method: route?.method,
                        path: route?.path,
                        status: slot < statuses.count ? statuses[slot] : 0,
                        count: count
                    )
                )
            }
        }
        return result
    }

    private static func slot(of status: Int) -> Int {
        if status == 200 { return 0 }
        return statuses.firstIndex(of: status) ?? statuses.count
    }
}
