"""What `xde test` does with random rows: try models on input that keeps its contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xde.faces.words.properties import failure_text, line, proved_fact, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.properties import Proved
    from xde.faces.cli.session import Session


def properties(session: Session, selection: Sequence[str], examples: int, seed: int, *, keep: bool) -> int:
    """Try models; 0 when every guarantee holds, 1 when one is broken."""
    from xde.app.properties import Prover, plainer
    from xde.app.testing import TestBench
    from xde.faces.cli.reports import current

    bench = TestBench.open(session.root(), session.environment)
    try:
        session.warn(bench.known.warnings)
        current().findings += bench.known.warnings
        clock = bench.house.clock
        begun = clock.monotonic()
        found: list[Proved] = []
        kept: list[tuple[str, str]] = []
        prover = Prover(bench.known, bench.house)
        for proved in prover.search(selection, examples, seed):
            found.append(proved)
            current().findings += [*(f for _, f in proved.findings), *([proved.trouble] if proved.trouble else [])]
            if not session.machine:
                told = (
                    failure_text(proved, session.look(), session.cells())
                    if proved.findings or proved.trouble
                    else line(proved, session.ink())
                )
                session.result(told)
            if any(f.shrunk == "rows" for f, _ in proved.findings):
                session.warn([plainer()])
            if keep:
                added = prover.keep(proved)
                kept += added.cases
                session.warn(added.findings)
        if session.machine:
            session.document({"properties": [proved_fact(p) for p in found], "kept": [{"path": p, "name": n} for p, n in kept]})
        else:
            session.result(summary(found, clock.monotonic() - begun, session.ink()))
            for path, name in kept:
                session.talk(f"kept in {path}: {name}")
    finally:
        bench.close()
    return 0 if all(p.searched.passed for p in found) else 1
