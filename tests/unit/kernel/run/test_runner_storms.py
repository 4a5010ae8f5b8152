"""The runner in any plan with any failures: what must always be true."""

from __future__ import annotations

import sys
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from xde.ground.clock import SystemClock
from xde.ground.errors import TemporaryError, UserError
from xde.kernel.plan.plan import Plan, Step
from xde.kernel.run.events import Outcome, StepFinished
from xde.kernel.run.runner import StepContext


from pathlib import Path as _Path

sys.path.insert(0, str(_Path(__file__).parent))

from doing import FINDING, Doing, Hearing, plan, run, statuses, step


@st.composite
def storms(draw: st.DrawFn) -> tuple[Plan, dict[str, str], dict[str, int]]:
    """A plan of any shape, the steps that fail and how, the steps that need several tries."""
    size = draw(st.integers(0, 12))
    names = [f"d{n}" for n in range(size)]
    steps = [
        step(name, *draw(st.lists(st.sampled_from(names[:n]), unique=True, max_size=4))) if n else step(name)
        for n, name in enumerate(names)
    ]
    failing = (
        draw(st.dictionaries(st.sampled_from(names), st.sampled_from(["user", "bug", "temporary", "says"]), max_size=3)) if names else {}
    )
    tries = draw(st.dictionaries(st.sampled_from(names), st.integers(1, 2), max_size=4)) if names else {}
    return plan(*draw(st.permutations(steps))), failing, tries


@settings(max_examples=60, deadline=None)
@given(storms(), st.integers(1, 5))
def test_any_plan_and_any_failures(storm: tuple[Plan, dict[str, str], dict[str, int]], parallel: int) -> None:
    a_plan, failing, tries = storm
    done: set[str] = set()
    errors = {"user": UserError(FINDING), "bug": ZeroDivisionError("x"), "temporary": TemporaryError("busy")}

    def work(step: Step, context: StepContext) -> Outcome | None:
        assert set(step.after) <= done, "started before its inputs were done"
        if context.attempt <= tries.get(step.dataset, 0):
            raise TemporaryError("not yet")
        if step.dataset in failing:
            if failing[step.dataset] == "says":
                return Outcome(step, "failed")
            raise errors[failing[step.dataset]]
        done.add(step.dataset)
        return None

    doing, heard = Doing(work), Hearing()
    finished = run(a_plan, doing, parallel=parallel, retries=2, observers=[heard])

    inputs = {s.dataset: set(s.after) for s in a_plan.steps}
    lost: set[str] = set()
    for _ in inputs:
        lost |= {d for d, i in inputs.items() if i & (lost | set(failing))}
    expected = {d: "skipped" if d in lost else "failed" if d in failing else "done" for d in inputs}
    assert statuses(finished) == expected
    asked = Counter(d for d, _ in doing.asked)
    for dataset, status in expected.items():
        once = 3 if failing.get(dataset) == "temporary" else 1 + tries.get(dataset, 0)
        assert asked[dataset] == (0 if status == "skipped" else once)
    assert finished.status == ("failed" if failing else "done")
    ends = Counter(e.outcome.step.dataset for e in heard.events if isinstance(e, StepFinished))
    assert ends == Counter(inputs.keys())
    assert finished.findings == ()


def test_a_long_chain_and_a_wide_fan() -> None:
    chain = [step("d0"), *(step(f"d{n}", f"d{n - 1}") for n in range(1, 1500))]
    fan = [step(f"f{n}") for n in range(1500)]
    finished = run(plan(*chain, *fan), Doing(), clock=SystemClock(), parallel=2)
    assert finished.status == "done"
