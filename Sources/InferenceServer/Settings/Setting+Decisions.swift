// SPDX-License-Identifier: MIT

internal import Features

extension Setting {
    static let decisions: [Setting] = [
        .optionalText(
            "decision-log",
            \.decisionDirectory,
            none: "none: predictions are not kept",
            "The directory of the log of predictions, their readings and what became of machines."
        ),
        .count(
            "decision-log-file-bytes",
            \.decisionLimits.fileBytesMax,
            in: 4096...(1 << 30),
            "bytes",
            "When a file of the log is followed by another: 400,000 readings of six sensors."
        ),
        .count(
            "decision-log-files",
            \.decisionLimits.filesMax,
            in: 2...100_000,
            "files",
            "Files of the log that are kept; the oldest goes when there is one more."
        ),
        .count(
            "decision-log-buffer-bytes",
            \.decisionBufferBytes,
            in: 4096...(1 << 26),
            "bytes",
            "Records that an event loop may have for the log; more are dropped and counted."
        ),
        .count(
            "feedback-bytes-max",
            \.feedbackBytesMax,
            in: 4096...(1 << 30),
            "bytes",
            "Events told at /feedback that are kept: 400,000; more are answered 503."
        ),
    ]
}
