"""What is worth a thought, and what is not: each rule at its bounds."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from xde.kernel.plan.costs import CostRecord, Usage
from xde.undercurrents.dataops.cost.judging import judge
from xde.undercurrents.dataops.cost.spending import Readers, Spending, only_for

MODELS = Readers({"m.x": ("a",)}, ("a", "b"))


def built(day: int, rows: int = 10, size: int = 1000, **more: object) -> CostRecord:
    told = {"run": f"r{day}", "step": "build:m.a", "status": "done", "ended_at": f"2026-01-{day:02}T10:00:00+00:00", **more}
    usage = Usage(1.0, rows, size, **{n: told.pop(n) for n in {f.name for f in fields(Usage)} & set(told)})  # type: ignore[arg-type]
    return CostRecord(environment="dev", dataset="m.a", version="v", kind="build", usage=usage, **told)  # type: ignore[arg-type]


def of(*steps: CostRecord, **more: object) -> Spending:
    return Spending("m.a", "table", **{"steps": steps, "share": 0.5, "readers": MODELS, **more})  # type: ignore[arg-type]


def codes(spending: Spending) -> list[str]:
    return [f.code for f in judge([spending])]


def test_nothing_to_say() -> None:
    assert codes(of()) == codes(of(built(1))) == []


NOBODY = Readers()


@pytest.mark.parametrize(
    ("spending", "said"),
    [
        (of(built(1), readers=NOBODY), True),
        (of(built(1), readers=NOBODY, share=0.009), False),
        (of(built(1), readers=NOBODY, share=0.0, kept_share=0.01), True),
        (of(built(1), readers=replace(NOBODY, reads={"show": 1}, last="2026-01-02")), False),
        (of(built(1), readers=replace(NOBODY, last="2025-01-02T00:00:00")), True),
        (of(replace(built(1), status="failed"), readers=NOBODY), False),
        (of(readers=NOBODY), False),
    ],
)
def test_paid_for_and_not_used(spending: Spending, said: bool) -> None:
    assert ("XDE0770" in codes(spending)) is said


@pytest.mark.parametrize(("kind", "hint"), [("source", "stop loading it"), ("view", "drop the model"), ("table", "`kind: view`")])
def test_the_hint_fits_the_kind(kind: str, hint: str) -> None:
    (found,) = judge([replace(of(built(1), readers=replace(NOBODY, only_for_it=("a.b", "a.c"))), kind=kind)])
    assert hint in found.hint
    assert "`a.b` and `a.c` are there only for it" in found.why
    assert ("kind: view" in found.hint) is (kind == "table")


@pytest.mark.parametrize(
    ("last", "models", "said"),
    [("2026-01-01T11:00", {}, True), ("2026-01-02T11:00", {}, False), ("2026-01-01T11:00", {"m.x": ()}, False)],
)
def test_not_read_since_built(last: str, models: dict[str, tuple[str, ...]], said: bool) -> None:
    readers = Readers(models, reads={"show": 1}, last=last)
    assert ("XDE0771" in codes(of(built(1), built(2, 11), built(3, 12), readers=readers))) is said


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([built(1), built(2)], False),
        ([built(1), built(2), built(3)], True),
        ([built(1), built(2), built(3, size=1001)], True),
        ([built(1), built(2), built(3, size=1010)], False),
        ([built(1), built(2, 11), built(3)], False),
        ([built(1), built(2), built(3), built(4, 11), built(5, 12), built(6, 13)], False),
        ([built(1), replace(built(2), version="w"), built(3)], False),
        ([built(1), built(2, rows=0, status="failed"), built(3), built(4)], True),
    ],
)
def test_the_same_rows_again_and_again(steps: list[CostRecord], said: bool) -> None:
    assert ("XDE0772" in codes(of(*steps))) is said
    assert "XDE0772" not in codes(replace(of(*steps), kind="incremental"))


@pytest.mark.parametrize(
    ("table", "given", "kind", "said"),
    [
        (2_000_000, 1_000_000, "table", True),
        (2_000_000, 2_000_000, "table", False),
        (999_999, 1, "table", False),
        (2_000_000, 1, "source", False),
        (2_000_000, None, "table", False),
    ],
)
def test_larger_than_its_inputs(table: int, given: int | None, kind: str, said: bool) -> None:
    spending = replace(of(built(1, bytes_in=5), built(2, bytes_in=given)), table=table, kind=kind)
    if given is None:
        spending = replace(spending, steps=(built(1),))
    assert ("XDE0773" in codes(spending)) is said


def test_memory_is_ones_own_where_one_was_ever_alone() -> None:
    side = built(1, memory=900, alone=False)
    assert of(side).memory == (900, False)
    assert of(side, built(2, memory=300), built(3, memory=200)).memory == (300, True)
    assert of(built(1)).memory is None


def test_figures_of_no_step() -> None:
    assert (of().mean_seconds, of().seconds, of().written) == (None, 0, 0)


UPSTREAM = {"a": (), "b": ("a",), "c": ("b", "s"), "d": ("s",), "s": (), "e": ("b",)}
READERS = {"a": ("b",), "b": ("c",), "s": ("c", "d"), "c": (), "d": ()}


def test_what_is_there_only_for_one() -> None:
    assert only_for("c", READERS, UPSTREAM, read=set()) == ("a", "b")
    assert only_for("c", READERS, UPSTREAM, read={"a"}) == ("b",)
    assert only_for("c", READERS, UPSTREAM, read={"b"}) == ()
    assert only_for("c", {**READERS, "b": ("c", "e")}, UPSTREAM, read=set()) == ()


def test_both_branches_of_a_diamond_go() -> None:
    upstream = {"top": ("l", "r"), "l": ("x",), "r": ("x",), "x": ()}
    readers = {"l": ("top",), "r": ("top",), "x": ("l", "r")}
    assert only_for("top", readers, upstream, read=set()) == ("l", "r", "x")
