"""Which versions nobody uses any more, by what the commits say of their use."""

from xde.lifecycle.storage.outlived import outlived
from xde.lifecycle.storage.port import CommitRecord, TableId


def history(*commits):
    """Commits as `(day, environment)`, or with inputs as a third; newest first, as a lake tells them."""
    records = []
    for number, (day, environment, *inputs) in enumerate(commits):
        facts = {"kind": "build" if inputs else "load", "environment": environment, **({"inputs": inputs[0]} if inputs else {})}
        records.append(CommitRecord(number, f"2026-01-{day:02}T00:00:00.000+00:00", facts))
    return tuple(reversed(records))


def found(histories, held=(), since=20, ended=None):
    tables = {TableId(*name.split(":")): records for name, records in histories.items()}
    kept = {TableId(*name.split(":")) for name in held}
    ends = {e: f"2026-01-{day:02}T00:00:00.000+00:00" for e, day in (ended or {}).items()}
    return [f"{t.dataset}:{t.version}" for t in outlived(tables, kept, f"2026-01-{since:02}T00:00:00+00:00", ends)]


def test_a_version_that_was_left_long_ago():
    histories = {"a.b:v1": history((1, "dev")), "a.b:v2": history((10, "dev"))}
    assert found(histories) == ["a.b:v1"]
    assert found(histories, since=10) == [], "it was left on the tenth"
    assert found(histories, held=["a.b:v1"]) == []


def test_what_an_environment_used_last_is_in_use_whatever_the_ledgers_say():
    assert found({"a.b:v1": history((1, "dev"))}) == []
    assert found({"a.b:v1": history((1, "dev"), (2, "staging")), "a.b:v2": history((10, "dev"))}) == []
    both = {"a.b:v1": history((1, "dev"), (2, "staging")), "a.b:v2": history((10, "dev"), (12, "staging"))}
    assert found(both) == ["a.b:v1"]
    assert found(both, since=11) == []


def test_to_go_back_to_a_version_is_to_use_it():
    histories = {"a.b:v1": history((1, "dev"), (12, "dev")), "a.b:v2": history((10, "dev"))}
    assert found(histories) == ["a.b:v2"]
    assert found(histories, since=12) == []


def test_a_commit_of_nobody_s_environment_counts_as_use_while_it_is_young():
    histories = {"a.b:v1": history((1, "dev"), (15, None)), "a.b:v2": history((10, "dev"))}
    assert found(histories, since=14) == []
    assert found(histories) == ["a.b:v1"]


def test_a_table_that_no_environment_ever_used_is_not_ours_to_drop():
    assert found({"a.b:v1": history((1, None)), "a.b:v2": history((1, "dev"))}) == []
    assert found({"a.b:v1": ()}) == []


def test_what_was_built_for_a_deployment_is_used_by_the_deployment_and_not_by_its_building():
    assert found({"a.b:v1": history((1, "prod~next"))}) == ["a.b:v1"]
    assert found({"a.b:v1": history((1, "prod~next"))}, since=1) == []


def test_an_environment_that_was_dropped_uses_nothing_from_then_on():
    assert found({"a.b:v1": history((1, "trial"))}, ended={"trial": 12}) == ["a.b:v1"]
    assert found({"a.b:v1": history((1, "trial"))}, ended={"trial": 12}, since=12) == []
    assert found({"a.b:v1": history((1, "trial"), (13, "trial"))}, ended={"trial": 12}) == [], "it was made again"


def test_what_a_kept_table_was_made_from_is_kept_and_what_made_that():
    histories = {
        "s.a:v1": history((1, "dev")),
        "s.a:v2": history((10, "dev")),
        "m.b:v1": history((2, "dev", {"s.a": ["v1", 0]})),
        "m.b:v2": history((10, "dev", {"s.a": ["v2", 0]})),
        "m.c:v1": history((3, "dev", {"m.b": ["v1", 0]})),
    }
    assert found(histories) == []
    histories["m.c:v1"] = history((3, "dev", {"m.b": ["v1", 0]}), (11, "dev", {"m.b": ["v2", 0]}))
    assert found(histories) == ["m.b:v1", "s.a:v1"]
