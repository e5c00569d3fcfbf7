# SPDX-License-Identifier: MIT
"""What no schema can say of requests, for schemathesis; scripts/check-api names this file.

The document says it in words of its own (`x-max-bytes`, `x-not-ahead`). A request that breaks such
a rule has to be refused although its schema takes it; for all others schemathesis' own checks hold.
"""

import datetime
import functools
import json
import os
import urllib.parse

import schemathesis
from schemathesis.specs.openapi import checks

BODY_BYTES_MAX = int(os.environ["BODY_BYTES_MAX"])
# A moment that is so near to the clock's may lie on either side of it.
NEARLY_SECONDS = 120


def rules(schema, word, path=()):
    """The values of a word of ours by the names of the properties that have it."""
    found = {}
    if isinstance(schema, dict):
        if word in schema:
            found[path[-1]] = schema[word]
        for name, inner in schema.items():
            found |= rules(inner, word, (*path, name))
    elif isinstance(schema, list):
        for inner in schema:
            found |= rules(inner, word, path)
    return found


@functools.cache
def byte_limits(schemas):
    """The limits in bytes that the text of a document's schemas tells, by name."""
    return rules(json.loads(schemas), "x-max-bytes")


def members(value):
    """Every member of every object in a value."""
    if isinstance(value, dict):
        yield from value.items()
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        for element in inner:
            yield from members(element)


def lies_ahead(moment, now):
    """Whether a moment is none or lies ahead; None where it is too near to say."""
    try:
        if isinstance(moment, str):
            text = moment.upper().replace("Z", "+00:00")
            moment = datetime.datetime.fromisoformat(text).timestamp()
        distance = float(moment) - now
    except (TypeError, ValueError, OverflowError):
        return None
    return None if abs(distance) < NEARLY_SECONDS else distance > 0


def refusal(case):
    """The status with which a request is to be refused that its schema takes; None for no such."""
    limits = byte_limits(json.dumps(case.operation.schema.raw_schema["components"]))
    (body, route) = (case.body, case.operation.path)
    if isinstance(body, (dict, list)):
        # A batch has a limit of its own, which no request here comes near to.
        if len(json.dumps(body)) > BODY_BYTES_MAX and route != "/batch_predict":
            return 413
        for name, value in members(body):
            if isinstance(value, str) and len(value.encode("utf-8", "replace")) > limits.get(
                name, len(value) * 4
            ):
                return 422
    if route == "/feedback" or route.endswith("/maintenance"):
        now = datetime.datetime.now(datetime.UTC).timestamp()
        ahead = [
            lies_ahead(value, now) for name, value in members(body) if name == "timestamp"
        ]
        if any(ahead):
            return 422
    return None


@schemathesis.check
def accepts_what_it_describes(ctx, response, case):
    """Schemathesis' `positive_data_acceptance`, and the document's own words."""
    status = refusal(case) if case.meta and case.meta.generation.mode.is_positive else None
    if status is None:
        return checks.positive_data_acceptance(ctx, response, case)
    if response.status_code not in (status, 404, 421):
        raise AssertionError(f"{response.status_code} where the document says {status}")
    return None


@schemathesis.check
def refuses_what_it_does_not_describe(ctx, response, case):
    """Schemathesis' `negative_data_rejection`, but where a caller wants errors in their places."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(response.request.url).query)
    if query.get("on_error") == ["skip"] and response.status_code == 200:
        answer = json.loads(response.content)
        if any("error" in element for element in answer["predictions"]):
            return None
    return checks.negative_data_rejection(ctx, response, case)
