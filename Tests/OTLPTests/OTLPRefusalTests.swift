// SPDX-License-Identifier: MIT

import OTLP
import Testing

@Suite struct OTLPRefusalTests {
    @Test(arguments: [
        (#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"old"}}"#, 3, "3 rejected: old"),
        (#"{"partialSuccess":{"rejectedLogRecords":"2"}}"#, 2, "2 rejected"),
        (#"{"partialSuccess":{"rejectedLogRecords":1}}"#, 1, "1 rejected"),
    ])
    func countsWhatWasNotTaken(text: String, count: Int, reason: String) {
        let refusal = OTLPRefusal(answer: Array(text.utf8))
        #expect(refusal?.count == count)
        #expect(refusal?.reason == reason)
    }

    @Test(arguments: [
        "", "{}", "null", "ok", #"{"partialSuccess":{}}"#, #"{"partialSuccess":null}"#,
        #"{"partialSuccess":{"rejectedSpans":"0","errorMessage":"a warning"}}"#,
        #"{"partialSuccess":{"rejectedSpans":"-1"}}"#, #"{"partialSuccess":{"rejectedSpans":1.5}}"#,
        #"{"partialSuccess":{"rejectedSpans":"99999999999999999999"}}"#,
    ])
    func takesAnythingElseForAll(text: String) {
        #expect(OTLPRefusal(answer: Array(text.utf8)) == nil)
    }
}
