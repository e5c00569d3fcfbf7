// SPDX-License-Identifier: MIT

@testable import HTTPServer
import Testing

struct LoopMailboxTests {
    /// Takes what a turn does, and gives the numbers that messages carry.
    private static func numbers(_ mailbox: LoopMailbox, max: Int = .max) -> [UInt64] {
        var numbers: [UInt64] = []
        mailbox.take { message in
            if case .unanswered(_, let sequence) = message { numbers.append(sequence) }
            return numbers.count < max
        }
        return numbers
    }

    /// Many come in several turns, so that others have theirs.
    @Test(arguments: [(0, [0]), (64, [64, 0]), (65, [64, 1, 0]), (200, [64, 64, 64, 8, 0])])
    func givesSoManyAtATime(_ count: Int, _ wanted: [Int]) throws {
        let mailbox = try LoopMailbox()
        for number in 0..<count {
            let token = ConnectionToken(rawValue: 0)
            mailbox.post(.unanswered(connection: token, sequence: UInt64(number)))
        }
        var taken: [UInt64] = []
        for count in wanted {
            let numbers = Self.numbers(mailbox)
            #expect(numbers.count == count)
            taken += numbers
        }
        #expect(taken == (0..<UInt64(count)).map(\.self))
    }

    @Test func keepsTheOrderOfWhatComesBetween() throws {
        let mailbox = try LoopMailbox()
        var posted: UInt64 = 0
        var taken: [UInt64] = []
        for _ in 0..<50 {
            for _ in 0..<100 {
                let token = ConnectionToken(rawValue: 0)
                mailbox.post(.unanswered(connection: token, sequence: posted))
                posted += 1
            }
            taken += Self.numbers(mailbox)
        }
        while taken.count < posted { taken += Self.numbers(mailbox) }
        #expect(taken == (0..<posted).map(\.self))
    }

    /// What has been decoded comes last, and each connection in turn.
    @Test func answersPassWhatWasDecoded() throws {
        let mailbox = try LoopMailbox()
        for (connection, sequence) in [(1, 1), (1, 2), (1, 3), (2, 4)] {
            let token = ConnectionToken(rawValue: UInt64(connection))
            mailbox.post(
                .decoded(connection: token, sequence: UInt64(sequence), .success([]))
            )
        }
        mailbox.post(.unanswered(connection: ConnectionToken(rawValue: 1), sequence: 5))
        var taken: [UInt64] = []
        mailbox.take { message in
            switch message {
            case .decoded(_, let sequence, _), .unanswered(_, let sequence): taken.append(sequence)
            default: break
            }
            return true
        }
        #expect(taken == [5, 1, 4, 2, 3])
    }
}
