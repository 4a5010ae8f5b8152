"""Codes and their pages, commands and their help, the reference and the commands: each pair is held together."""

import re
from pathlib import Path

import click
import pytest

import xde
from xde.faces.cli.flow_reference import page as flows_page
from xde.faces.cli.lazy import LazyGroup
from xde.faces.cli.reference import commands, commands_page
from xde.faces.words.pages import pages

SOURCE = Path(xde.__file__).parent
CODE = re.compile(r"\bXDE\d{4}\b")
MENTIONED = {"XDE9999"}  # stands in no finding


def codes_in_the_code() -> dict[str, str]:
    found = {}
    for file in sorted(SOURCE.rglob("*.py")):
        for code in CODE.findall(file.read_text(encoding="utf-8")):
            found.setdefault(code, str(file.relative_to(SOURCE)))
    return found


def as_examples_only() -> set[str]:
    """Codes that occur in help texts and docstrings to show what a code looks like, and in no other way."""
    return {"XDE0204", "XDE0123"}


def test_every_code_has_a_page():
    there = {p.code for p in pages()}
    missing = {c: f for c, f in codes_in_the_code().items() if c not in there}
    assert {c: f for c, f in missing.items() if c not in as_examples_only()} == {}


def test_every_page_has_a_code():
    assert {p.code for p in pages()} - set(codes_in_the_code()) == set()


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.code)
def test_a_page_has_a_title_a_reason_and_an_example_mended(page):
    file = SOURCE / f"faces/words/pages/{page.code}.md"
    assert file.is_file(), "the name of the file is the code"
    assert page.title
    assert not page.title.endswith(".")
    assert len(page.text.splitlines()) >= 3
    assert len(CODE.findall(file.read_text().splitlines()[0])) == 1


ALL = list(commands())


def test_the_commands_are_all_there():
    assert [name for name, _ in ALL] == [
        "xde",
        *(
            "xde init",
            "xde import",
            "xde import dbt",
            "xde new",
            "xde new case",
            "xde new model",
            "xde doctor",
            "xde test",
            "xde lint",
            "xde format",
            "xde plan",
            "xde run",
            "xde up",
            "xde deploy",
            "xde rollback",
            "xde backfill",
        ),
        *("xde env", "xde env diff", "xde env drop", "xde env list", "xde env show"),
        *("xde list", "xde show", "xde record", "xde profile", "xde diff", "xde lineage", "xde history", "xde cost", "xde flows"),
        *("xde contract", "xde contract backtest", "xde contract check", "xde contract diff", "xde contract draft"),
        *("xde letters", "xde letters discard", "xde letters list", "xde letters replay", "xde letters show"),
        *("xde runs", "xde ci", "xde package", "xde clean", "xde ledger", "xde ledger rebuild", "xde explain"),
    ]


@pytest.mark.parametrize(("name", "command"), ALL, ids=[n for n, _ in ALL])
def test_every_command_has_help_and_an_example_that_its_own_parser_takes(name, command):
    assert command.help
    examples = [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")]
    assert any(re.sub(r" --(project|env) \S+", "", e).startswith(name) for e in examples), examples
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_the_short_help_in_the_list_is_that_of_the_command():
    root = dict(ALL)["xde"]
    assert isinstance(root, LazyGroup)
    for name, (_, short) in root.lazy.items():
        assert dict(ALL)[f"xde {name}"].help.split("\n\n")[0].replace("\n", " ") == short


def test_the_reference_is_what_the_commands_say():
    page = SOURCE.parents[1] / "docs/commands.md"
    assert page.read_text(encoding="utf-8") == commands_page(), "make it again: python -m xde.faces.cli.reference > docs/commands.md"


def test_the_page_of_flows_is_what_the_flows_say():
    page = SOURCE.parents[1] / "docs/flows.md"
    assert page.read_text(encoding="utf-8") == flows_page(), "make it again: python -m xde.faces.cli.flow_reference > docs/flows.md"
