// SPDX-License-Identifier: MIT

/// Why a request is refused before a handler sees it.
enum RequestError: Error, Equatable {
    case strayControlByte
    case malformedRequestLine
    case malformedTarget
    case malformedField
    case foldedField
    case missingHost
    case repeatedHost
    case invalidHost
    case invalidContentLength
    case repeatedContentLength
    case lengthAndCoding
    case malformedCoding
    case codingInOldVersion
    case malformedChunk
    case chunkLineTooLong(limit: Int)
    case chunksTooSmall(limit: Int)
    case trailersTooLarge(limit: Int)
    case repeatedContentType
    case truncated
    case timedOut
    case unsecuredTarget
    case lengthRequired
    case bodyTooLarge(limit: Int)
    case targetTooLong(limit: Int)
    case codedContent
    case corruptContent
    case unknownExpectation
    case headTooLarge(limit: Int)
    case tooManyFields(limit: Int)
    case unknownMethod
    case unsupportedCoding
    case unsupportedVersion
    case tooManyDecoders
    case noRoom

    /// Whether it is a bound that was passed, not a rule that was broken.
    var isLimit: Bool {
        switch self {
        case .chunkLineTooLong, .chunksTooSmall, .trailersTooLarge, .bodyTooLarge, .targetTooLong,
            .headTooLarge, .tooManyFields, .timedOut,
            .tooManyDecoders, .noRoom:
            true
        default: false
        }
    }

    /// Adds the fields that go with the refusal.
    func addFields(to response: inout Response, _ limits: borrowing ServerLimits) {
        switch self {
        // RFC 9110 §15.5.16: a 415 for its coding says which are taken.
        case .codedContent: response.addField("accept-encoding", "gzip")
        case .tooManyDecoders, .noRoom:
            response.addField("retry-after", "\(limits.retryAfterSeconds)")
        default: break
        }
    }
}
