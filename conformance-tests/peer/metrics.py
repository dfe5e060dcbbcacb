"""What the operator's door counts."""

import re

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[^}]*\})? (-?[0-9.eE+-]+|NaN|[+-]?Inf)( \d+)?$')


def metrics(town):
    """name with labels -> value"""
    lines = town.gateway.operator("/metrics").body.decode().splitlines()
    found = [SAMPLE.match(line) for line in lines if line and not line.startswith("#")]
    assert all(found), "a line that is no Prometheus sample"
    return {match.group(1) + (match.group(2) or ""): float(match.group(3)) for match in found}


def total(values, *words):
    """Sum of the counters whose names hold all words."""
    return sum(value for name, value in values.items()
               if all(word in name for word in words) and not re.search(r"_(bucket|sum)\b", name))
