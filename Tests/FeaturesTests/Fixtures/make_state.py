# SPDX-License-Identifier: MIT
"""Writes state files from docs/state-file.md alone, for the tests that open them.

Usage: make_state.py        writes state-format-N.txt and state-format-N.jsonl beside itself

N is the format of the description; that of 3 has an alarm and sums since the start. The text file holds the file's digest and size, then an offset and 32 bytes for each row that is
not all zeros.
"""

import json
import pathlib
import struct

MASK = (1 << 64) - 1
KEY = 0xD6E8FEB86659FD93
NONE = 1 << 63
HOUR = 3_600_000_000


def fold(a, b):
    product = a * b
    return (product >> 64) ^ (product & MASK)


def hash_bytes(data, seed):
    result = seed ^ 0x9E3779B97F4A7C15
    for start in range(0, len(data), 8):
        result = fold(result ^ int.from_bytes(data[start:start + 8], "big"), KEY)
    return fold(result ^ len(data), 0xA0761D6478BD642F)


def checksum(words):
    even, odd = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F
    index = 0
    while index + 4 <= len(words):
        even = fold(even ^ words[index], KEY ^ words[index + 1])
        odd = fold(odd ^ words[index + 2], KEY ^ words[index + 3])
        index += 4
    for word in words[index:]:
        even = fold(even ^ word, KEY)
    return fold(even ^ odd, KEY ^ len(words))


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def pane(index, values):
    """One gauge from -50 to 250 with squares and maximum."""
    steps = [round((value + 50) * 4294967295 / 300) for value in values]
    squares = sum(step * step for step in steps)
    maximum = max(steps, default=0)
    words = [index & MASK, maximum << 32, sum(steps), len(steps) | squares >> 64 << 32]
    words.append(squares & MASK)
    total = checksum(words)
    words[1] |= (total ^ total >> 32) & 0xFFFFFFFF
    return words


def since_start(panes):
    """Sums of the same gauge since the start, for a slope."""
    readings = [
        (index, round((value + 50) * 4294967295 / 300)) for index, values in panes for value in values
    ]
    words = [len(readings), sum(step for _, step in readings)]
    for power in (
        sum(index for index, _ in readings),
        sum(index * index for index, _ in readings),
        sum(index * step for index, step in readings),
    ):
        words += [power & MASK, power >> 64 & MASK]
    return words


def write(form):
    description = {
        "format": form,
        "sensors": [{"name": "temperature", "kind": "gauge"}],
        "layout": {
            "pane_seconds": 3600, "panes": 2,
            "gauges": [
                {"sensor": "temperature", "range": [-50, 250], "squares": True, "maximum": True}
            ],
        },
    }
    if form == 3:
        description["layout"]["gauges"][0]["since_start"] = "slope"
    text = json.dumps(description, separators=(",", ":")).encode()
    identifier = "pump 7 é".encode()
    first = 472_222  # The pane's index: an hour of 2023.
    times = [first * HOUR + 60_000_000, (first + 1) * HOUR + 120_000_000]
    panes = [(first, [20.25]), (first + 1, [30.5])]
    header = [0] * 33 + ([NONE, 0, 0, 0] + since_start(panes) if form == 3 else [])
    header[1:6] = [times[1], times[1] + 5, 2, NONE, 2 | 2 << 32]
    header[6:8] = times
    header[22] = len(identifier)
    for start in range(0, len(identifier), 8):
        header[23 + start // 8] = int.from_bytes(identifier[start:start + 8], "little")
    header[31:33] = [bits(30.5), 1]
    header[0] = checksum(header)
    record = header + [word for each in panes for word in pane(*each)]

    seed, stride, count = 0x0123456789ABCDEF, 512, 8
    slot_bytes = (32 + 8 * len(record) + 63) // 64 * 64
    head = b"PDMSTATE" + struct.pack("<IIQ", 1, 4096, seed)
    head += struct.pack("<8I", len(record), len(header), 5, stride, 64, slot_bytes, count, len(text))
    head += struct.pack("<Q", hash_bytes(head + text, 0)) + text
    chunks = 4096 + 64 * slot_bytes
    data = bytearray(chunks + 4096 + count * stride)
    data[:len(head)] = head
    # The record with the number 2; those before it are free.
    data[chunks + 32:chunks + 48] = struct.pack("<QQ", hash_bytes(identifier, seed), 1)
    place = chunks + 4096 + 2 * stride
    data[place:place + 8 * len(record)] = struct.pack(f"<{len(record)}Q", *record)

    digest = f"{hash_bytes(text, 1):016x}{hash_bytes(text, 2):016x}"
    folder = pathlib.Path(__file__).parent
    with open(folder / f"state-format-{form}.txt", "w", encoding="ascii") as output:
        print(digest, len(data), file=output)
        for start in range(0, len(data), 32):
            row = bytes(data[start:start + 32])
            if any(row):
                print(start, row.hex(), file=output)
    line = {
        "equipment_id": identifier.decode(), "readings": 2,
        "last_timestamp": "2023-11-14T23:02:00Z",
        "record": "".join(f"{word:016x}" for word in record),
    }
    with open(folder / f"state-format-{form}.jsonl", "w", encoding="utf-8") as output:
        print(json.dumps(line, separators=(",", ":"), ensure_ascii=False), file=output)


for each in (1, 3):
    write(each)
