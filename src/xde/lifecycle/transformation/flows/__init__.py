"""Our own flow functions, one file each: the signature, rows in and rows out, and the SQL that it stands for."""

from __future__ import annotations

from importlib import import_module

from xde.kernel.graph.flows.signature import Flow, flow_of

NAMES = (
    "dedupe",
    "latest",
    "history",
    "as_of",
    "lookup",
    "validate",
    "union_all",
    "surrogate_key",
    "normalise",
    "denormalise",
    "unknown_member",
    "sessionize",
    "tumble",
    "slide",
    "session",
    "fill",
    "rolling",
    "rank_within",
    "spine",
    "pivot",
    "unpivot",
    "flatten",
    "funnel",
    "cohort",
    "anonymise",
    "geo_distance",
)
"""The names of all, in the order in which documents show them; a file has the name of its flow."""


def our_flow(name: str) -> Flow:
    """One of ours by its name."""
    module = import_module(f"{__name__}.{name}")
    return flow_of(getattr(module, name), str(module.__file__), "xde")
