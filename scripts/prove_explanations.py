# SPDX-License-Identifier: MIT
"""Compares what raised the alarms of a simulated fleet with how the machines failed.

    prove_explanations.py EVALUATION EVENTS

EVALUATION is the evaluation.json of `pdm evaluate --readings`, EVENTS the file of `pdm generate
--events`. A true alarm names its failure where its largest contribution is that of a sensor which
the mode moves first of all.
"""

import collections
import csv
import json
import sys

# By Sources/Training/Simulation/FailureMode.swift.
MOVED = {
    "bearing": {"vibration", "temperature"},
    "cooling": {"temperature"},
    "seal": {"pressure"},
    "winding": {"current", "rotation_speed"},
}
SHARE_MIN = 0.9


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        evaluation = json.load(file)
    failures = collections.defaultdict(list)
    with open(sys.argv[2], encoding="utf-8") as file:
        for event in csv.DictReader(file):
            failures[event["equipment_id"]].append((event["timestamp"][:19], event["mode"]))
    counts = {mode: [0, 0] for mode in MOVED}
    for alarm in evaluation["explanations"]["alarms"]:
        if not alarm["is_true"]:
            continue
        # RFC 3339 in UTC sorts as time does.
        mode = next((mode for time, mode in failures[alarm["equipment_id"]]
                     if time >= alarm["timestamp"][:19]), None)
        if mode is None:
            raise SystemExit(f"no failure follows the alarm of {alarm['equipment_id']}")
        contributions = alarm["contributions"]
        named = max(contributions, key=contributions.get)
        counts[mode][1] += 1
        if named in MOVED[mode]:
            counts[mode][0] += 1
        else:
            first = sorted(contributions.items(), key=lambda item: -item[1])[:3]
            print(f"  {mode}: {alarm['equipment_id']} {alarm['timestamp']} {first}")
    for mode, (right, count) in counts.items():
        print(f"{mode:8} {right:4} of {count} name {' or '.join(sorted(MOVED[mode]))}")
    right, count = (sum(pair[index] for pair in counts.values()) for index in (0, 1))
    if not count:
        raise SystemExit("there is no true alarm")
    print(f"{right} of {count} true alarms ({100 * right / count:.1f} %) name the failure's sensor")
    if right < SHARE_MIN * count:
        raise SystemExit(f"fewer than {100 * SHARE_MIN:.0f} %")


if __name__ == "__main__":
    main()
