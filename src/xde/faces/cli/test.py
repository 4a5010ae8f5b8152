"""`xde test`: the cases of a project, run in a sandbox; nothing of the lake or the ledger is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from xde.faces.cli.reports import current, report_options
from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import json_option
from xde.faces.cli.session import Session, pass_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.covering import ModelCoverage
    from xde.app.testing import CaseResult, TestBench

FAILED = 1


class Options(TypedDict):
    """What may be asked of `test`."""

    changed: bool
    sql: bool
    coverage: bool
    mutants: bool
    at_least: float | None
    watch: bool
    record: str | None
    smoke: bool
    rows: int | None
    properties: bool
    examples: int
    seed: int
    keep: bool


@xde_command(
    "test",
    "xde test",
    "xde test marts.carrier_delay",
    "xde test tests/orders.yaml --changed",
    "xde test 'an order without payments is worth nothing'",
    "xde test --coverage marts.carrier_delay",
    "xde test --mutants marts.carrier_delay --at-least 90",
    "xde test --watch marts.carrier_delay",
    "xde test --junit build/cases.xml --sarif build/cases.sarif",
    "xde test --record 'a week of March' marts.carrier_delay",
    "xde test --smoke",
    "xde test --properties marts.carrier_delay --examples 1000",
)
@click.argument("selection", nargs=-1)
@click.option("--changed", is_flag=True, help="Only cases that have not passed yet with what they see now.")
@click.option("--sql", is_flag=True, help="Show the query of each case that fails, not only of the first.")
@click.option("--coverage", is_flag=True, help="Show which branches of the models' SQL no case reaches; with `xde -v` every line.")
@click.option(
    "--mutants", is_flag=True, help="Change the models' SQL on purpose, and tell which changes neither a case nor a property notices."
)
@click.option("--at-least", type=click.FloatRange(0, 100), metavar="PERCENT", help="With --mutants: fail below this score.")
@click.option("--watch", is_flag=True, help="Stay, and on each save run the cases that it reaches; Ctrl-C ends it.")
@click.option("--record", metavar="NAME", help="Freeze what a model does with a few real rows as a case of this name.")
@click.option("--smoke", is_flag=True, help="Build every model from a sample of the sources, in a lake of its own.")
@click.option("--rows", type=click.IntRange(min=1), help="How many rows to record (default 5) or to sample of each source (1000).")
@click.option("--properties", is_flag=True, help="Try models on random input that keeps its contracts.")
@click.option(
    "--examples", type=click.IntRange(min=1, max=100_000), default=200, show_default=True, help="How many random inputs of each model."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Another seed gives other random inputs.")
@click.option("--keep", is_flag=True, help="Keep the input that breaks a guarantee as a case.")
@report_options
@json_option
@pass_session
def command(session: Session, *, selection: tuple[str, ...], **options: Unpack[Options]) -> int:
    """Run the cases under `tests/`.

    SELECTION names datasets, files, `file::name` of a case, or words of its name. Without one, all of them.
    """
    if options["watch"]:
        from xde.faces.cli.watch import watch  # deferred: most calls do not stay

        return watch(session, selection, options)
    if options["record"] is not None or options["smoke"]:
        from xde.faces.cli import real_rows  # deferred: most calls want neither

        if options["record"] is not None:
            return real_rows.record(session, selection, options["record"], options["rows"] or 5)
        return real_rows.smoke(session, options["rows"] or 1_000)
    if options["properties"]:
        from xde.faces.cli import random_rows  # deferred: as above

        return random_rows.properties(session, selection, options["examples"], options["seed"], keep=options["keep"])
    from xde.app.testing import TestBench  # deferred: it brings parsers and engines

    bench = TestBench.open(session.root(), session.environment)
    try:
        session.warn(bench.known.warnings)
        current().findings += [*bench.known.warnings, *bench.findings]
        if options["mutants"]:
            from xde.faces.cli.mutants import Wanted, mutants  # deferred: it brings the parser

            return mutants(session, bench, selection, Wanted(options["at_least"], options["examples"], options["seed"]))
        return _cases(session, bench, selection, options)
    finally:
        bench.close()


def _cases(session: Session, bench: TestBench, selection: Sequence[str], options: Options) -> int:
    from xde.faces.words.cases import case_fact, failure, line, summary
    from xde.faces.words.findings import finding_fact

    clock = bench.house.clock
    begun = clock.monotonic()
    results: list[CaseResult] = current().results
    for result in bench.run(bench.pick(selection), changed=options["changed"]):
        if not session.machine and not result.passed:
            first = all(r.passed for r in results)
            session.result(failure(result, session.look(), sql=options["sql"] or first, cells=session.cells()))
        elif not session.machine and session.verbosity > 0:
            session.result(line(result, session.ink()))
        results.append(result)
    seconds = clock.monotonic() - begun
    models = _coverage(bench, selection) if options["coverage"] else None
    if session.machine:
        from xde.faces.words.coverage import model_fact

        covered = {"coverage": [model_fact(m) for m in models]} if models is not None else {}
        session.document({"cases": [case_fact(r) for r in results], "findings": [finding_fact(f) for f in bench.findings], **covered})
    else:
        session.tell_findings(bench.findings)
        session.result(summary(results, seconds, session.ink()))
        _tell_coverage(session, models or ())
    return FAILED if bench.findings or not all(r.passed for r in results) else 0


def _coverage(bench: TestBench, selection: Sequence[str]) -> Sequence[ModelCoverage]:
    from xde.app.covering import cover  # deferred: it brings the parser

    return cover(bench, selection)


def _tell_coverage(session: Session, models: Sequence[ModelCoverage]) -> None:
    from xde.faces.words.coverage import model_text, summary

    for found in models:
        if found.coverage.branches or found.coverage.unprobed:
            session.result("\n" + model_text(found, session.ink(), whole=session.verbosity > 0, cells=session.cells()))
    if models:
        session.result("\n" + summary(models, session.ink()))
