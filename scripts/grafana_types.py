# SPDX-License-Identifier: MIT
"""Reads dashboards with Grafana's own types, for scripts/check_observability.py.

Those types are generated from Grafana's sources (grafana-foundation-sdk). What they do not know is
lost between reading and writing: a misspelt member, an option of another kind of panel.
"""

import copy
import json

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

# Members of the source of data, of which the dashboard's types know nothing.
OTHERS = {"/annotations/list/titleFormat"}

plugins.register_default_plugins()


def lost(before, after, path=""):
    """Where something that was there is no more, or is another."""
    if isinstance(before, dict):
        for name, value in before.items():
            place = f"{path}/{name}"
            if not isinstance(after, dict) or name not in after:
                yield place
            else:
                yield from lost(value, after[name], place)
    elif isinstance(before, list):
        if not isinstance(after, list) or len(before) != len(after):
            yield path
        else:
            for one, other in zip(before, after):
                yield from lost(one, other, path)
    elif before != after:
        yield path


def unknown(dashboard):
    """Places of a dashboard that Grafana's types do not know."""
    known = json.loads(json.dumps(Dashboard.from_json(copy.deepcopy(dashboard)), cls=JSONEncoder))
    return sorted(set(lost(dashboard, known)) - OTHERS)


def check_types(paths, expect):
    """Finds nothing in the dashboards, and what is spoilt in them."""
    for path in paths:
        dashboard = json.loads(path.read_text())
        expect(not unknown(dashboard), f"{path.name}: Grafana knows no {unknown(dashboard)}")
        panel = next(panel for panel in dashboard["panels"] if panel["type"] == "timeseries")
        panel["gridPosition"] = panel.pop("gridPos")
        panel["options"]["legend"]["placing"] = "bottom"
        expect(
            unknown(dashboard) == ["/panels/gridPosition", "/panels/options/legend/placing"],
            f"what was spoilt in {path.name} was not found",
        )
    print(f"{len(paths)} dashboards are of Grafana's types")
