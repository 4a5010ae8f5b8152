"""`xde letters`: dead letters, listed, shown, replayed, discarded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from xde.faces.cli.saying import command as xde_command
from xde.faces.cli.saying import examples_text, json_option
from xde.faces.cli.session import Session, pass_session
from xde.faces.words.letters import letter_fact, letter_text, letters_text, replay_fact, replay_text
from xde.faces.words.numbers import amount
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xde.app.answers import LetterLine
    from xde.app.workspace import Workspace

_TEXTS = frozenset({".csv", ".tsv", ".json", ".ndjson", ".jsonl"})  # endings by which an editor knows a text
_STATES = ("open", "replayed", "discarded", "all")


class Correction(TypedDict):
    """What may be asked of `replay` besides which letters."""

    dataset: str | None
    edit: bool
    corrected: Path | None


_dataset = click.option("--dataset", metavar="NAME", help="Only letters of this dataset.")
_all = click.option("--all", "every", is_flag=True, help="Every open letter (of --dataset, if given).")


@click.group("letters", epilog=examples_text(("xde letters list", "xde letters show 3f2a", "xde letters replay --all")))
def command() -> None:
    """List, show, replay and discard dead letters.

    A dead letter is a record that could not be accepted, kept as it came with the reason and its place.
    """


@xde_command("list", "xde letters list", "xde letters list --dataset nyc.weather --status all --json")
@_dataset
@click.option("--status", type=click.Choice(_STATES), default="open", show_default=True, help="Only letters of this status.")
@json_option
@pass_session
def list_letters(session: Session, *, dataset: str | None, status: str) -> None:
    """List dead letters."""
    with session.open() as workspace:
        found = workspace.letters(dataset, status=None if status == "all" else status)
    if session.machine:
        session.document({"letters": [letter_fact(x) for x in found]})
        return
    if found:
        session.result(letters_text(found, ink=session.ink(), cells=session.cells()))
    session.talk(amount(len(found), "dead letter") if status == "all" else amount(len(found), f"{status} dead letter"))


@xde_command("show", "xde letters show 3f2a", "xde letters show 3f2a --raw > record.csv")
@click.argument("letter", metavar="ID")
@_dataset
@click.option("--raw", is_flag=True, help="The record's own bytes and nothing else.")
@json_option
@pass_session
def show(session: Session, *, letter: str, dataset: str | None, raw: bool) -> None:
    """Show a dead letter as it came, and why it was not accepted.

    ID may be the beginning of one.
    """
    with session.open() as workspace:
        (found,) = _chosen(workspace, [letter], dataset, status=None)
    if session.machine:
        session.document(letter_fact(found))
    elif raw:
        with session.bytes() as stream:
            stream.write(found.letter.raw)
    else:
        session.result(letter_text(found, ink=session.ink(), cells=(session.cells() or 108) - 8))


@xde_command(
    "replay",
    "xde letters replay --all",
    "xde letters replay 3f2a 9c01",
    "xde letters replay 3f2a --edit",
    "xde letters replay 3f2a --with corrected.csv",
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_all
@_dataset
@click.option("--edit", is_flag=True, help="Correct each record in your editor ($EDITOR) first.")
@click.option(
    "--with", "corrected", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The corrected record of the one ID."
)
@json_option
@pass_session
@click.pass_context
def replay(ctx: click.Context, session: Session, *, ids: tuple[str, ...], every: bool, **options: Unpack[Correction]) -> None:
    """Read dead letters again, by the contract as it is now or with corrected records.

    Those that pass become rows, the others stay dead letters with their new reasons (and the command ends with 3).
    """
    _need_some(ids, every=every)
    name, edit, corrected = options["dataset"], options["edit"], options["corrected"]
    if corrected is not None and (len(ids) != 1 or edit):
        message = "--with needs exactly one ID, and no --edit."
        raise click.UsageError(message)
    with session.open() as workspace:
        chosen = workspace.letters(name) if every else _chosen(workspace, ids, name, status="open")
        if every and (judged := [x for x in chosen if x.of_model]):
            session.talk(f"{amount(len(judged), 'dead letter')} of models left alone: each build judges them again")
            chosen = [x for x in chosen if not x.of_model]
        records = _edited(session, chosen) if edit else {}
        if edit:
            chosen = [x for x in chosen if x.letter.id in records]
        if corrected is not None:
            records = {chosen[0].letter.id: _as_ended(corrected.read_bytes(), chosen[0].letter.raw)}
        outcomes = workspace.replay([x.letter.id for x in chosen], dataset=name, corrected=records) if chosen else ()
    if session.machine:
        session.document({"replayed": [replay_fact(o) for o in outcomes]})
    else:
        for outcome in outcomes:
            session.result(replay_text(outcome))
        if not chosen:
            session.talk("no dead letter to replay")
    if any(o.again for o in outcomes):
        ctx.exit(3)


@xde_command(
    "discard",
    'xde letters discard 3f2a --reason "a test of the sensor"',
    'xde letters discard --all --dataset nyc.weather --reason "before 2013"',
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@_all
@_dataset
@click.option("--reason", required=True, help="Why they are not wanted; kept with them.")
@json_option
@pass_session
def discard(session: Session, *, ids: tuple[str, ...], every: bool, dataset: str | None, reason: str) -> None:
    """Say of dead letters that they are not wanted.

    They are kept, with your reason, and are no longer open.
    """
    _need_some(ids, every=every)
    if not reason.strip():
        message = "--reason is empty; say why."
        raise click.UsageError(message)
    with session.open() as workspace:
        chosen = workspace.letters(dataset) if every else _chosen(workspace, ids, dataset, status="open")
        done = workspace.discard([x.letter.id for x in chosen], dataset=dataset, reason=reason) if chosen else 0
    if session.machine:
        session.document({"discarded": done})
    else:
        session.result(f"{amount(done, 'dead letter')} discarded")


def _need_some(ids: Sequence[str], *, every: bool) -> None:
    if bool(ids) == every:
        message = "Name letters by ID, or all open ones by --all (not both)."
        raise click.UsageError(message)


def _chosen(workspace: Workspace, ids: Sequence[str], dataset: str | None, *, status: str | None) -> list[LetterLine]:
    """The letters of some ids or beginnings of ids, each once."""
    known = {x.letter.id: x for x in workspace.letters(dataset, status=None)}
    findings, found = [], {}
    for wanted in ids:
        near = [i for i in known if i.startswith(wanted.lower())]
        if len(near) == 1 and status is not None and known[near[0]].status != status:
            findings.append(Finding("XDE0004", f"dead letter `{near[0]}` is {known[near[0]].status}, not {status}"))
        elif len(near) == 1:
            found[near[0]] = known[near[0]]
        elif near:
            findings.append(Finding("XDE0004", f"{len(near)} dead letters begin with `{wanted}`", hint="write more of the id"))
        else:
            hint = did_you_mean(wanted, known) or "`xde letters list --status all` lists them"
            findings.append(Finding("XDE0004", f"there is no dead letter `{wanted}`", hint=hint))
    if findings:
        raise UserError(*findings)
    return list(found.values())


def _edited(session: Session, chosen: Sequence[LetterLine]) -> dict[str, bytes]:
    """Each record as the editor left it; one that was not changed is left out."""
    records = {}
    if lost := next((x.letter for x in chosen if x.letter.redacted), None):
        why = f"its source has in-flight steps: `{lost.file}`, line {lost.line}, has it, and an editor would write it on a disk"
        hint = "correct it where it came from and deliver it again, or write it into a file of your own: `--with FILE`"
        raise UserError(Finding("XDE0344", f"the record of the dead letter `{lost.id}` is not kept", why=why, hint=hint))
    for line in chosen:
        raw = line.letter.raw
        ending = Path(line.letter.file).suffix.lower()
        after = click.edit(raw, extension=ending if ending in _TEXTS else ".txt")
        if after is None or _as_ended(after, raw) == raw:
            session.talk(f"{line.letter.id}: not changed, not replayed")
        else:
            records[line.letter.id] = _as_ended(after, raw)
    return records


def _as_ended(record: bytes, raw: bytes) -> bytes:
    """A corrected record without the line end that an editor adds, where the record as it came had none."""
    return record if raw.endswith(b"\n") else record.removesuffix(b"\n").removesuffix(b"\r")


for _command in (list_letters, show, replay, discard):
    command.add_command(_command)
