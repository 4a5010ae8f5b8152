"""What a commit knows, and what a table's commits together say: the ledger's mirror is this fold of the log, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xde.kernel.plan.intervals import merged
from xde.kernel.plan.plan import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CHANGES_DATA = frozenset({"load", "build", "replay"})


def fold(facts: Mapping[str, object] | None, number: int, commit: Mapping[str, object]) -> dict[str, object]:
    """What holds of a table after one more commit.

    A `restate` begins a table with all that was known of another one. A commit that says `same` has changed no row.

    `files`: source files loaded, by path; `position`: how far a database was read; `landed`: of what is pushed, the last segment of each
    spool, in place of files;
    `inputs`: [version, number] of what a model read, by dataset; `intervals`: the
    time a model has done, `pending`: what an unfinished build still owes; `data`: the newest commit that changed rows; `letters`: dead
    letters still open;
    `letter_files`: of a model, the files of its dead letters, `discards`: those that are not wanted, with the reason;
    `windows`: of a model of windows, its watermark and how many rows it has read and how many of them came late; `waiting`: the files of
    rows whose windows are open;
    `hashed_with`: of the columns that are hashed as they are read, the fingerprint of each one's key;
    `missing_columns`: those of the contract that the last delivery did not have, where it may lack some;
    `layout`: digest of how its rows lie in files; `checks`: digest of the checks it passed; `history`: that its rows tell what was,
    `carried`: the numbers of the other versions whose rows were put among them; `environment`: whose run made the newest commit.
    """
    state: dict[str, Any] = dict(facts or {})
    kind = str(commit.get("kind", ""))
    if kind == "restate":
        state = {**_mapping(commit, "state"), "data": number}
    if kind in CHANGES_DATA and not commit.get("same"):
        state["data"] = number
    if kind == "load":
        _load(state, commit)
    if kind == "build":
        _build(state, commit)
    if commit.get("carried"):
        state["carried"] = {**state.get("carried", {}), **_mapping(commit, "carried")}
    if "letter_files" not in state:
        state["letters"] = int(state.get("letters", 0)) + _letters(commit)
    elif kind == "discard":
        state["discards"] = {**state.get("discards", {}), **dict.fromkeys(_list(commit, "discarded"), commit.get("reason", ""))}
    for key in ("checks_digest", "environment", "hashed_with", "history", "layout", "missing_columns"):
        if key in commit:
            state[key] = commit[key]
    return state


def _load(state: dict[str, Any], commit: Mapping[str, object]) -> None:
    """How far the source was read, by files, by a position of a database, or by segments."""
    if commit.get("full"):
        state |= {"files": {}, "letters": 0}
        state.pop("position", None)
        state.pop("landed", None)
    if "position" in commit:
        state["position"] = commit["position"]
    if "landed" in commit:
        state["landed"] = {**state.get("landed", {}), **_mapping(commit, "landed")}
    else:
        state["files"] = {**state.get("files", {}), **{f["path"]: f for f in _list(commit, "files")}}


def _build(state: dict[str, Any], commit: Mapping[str, object]) -> None:
    """What a model was computed from, which time it has done, and the letters that it has now."""
    state["inputs"] = commit.get("inputs", {})
    before = [] if commit.get("full") else state.get("intervals", [])
    done = merged(Interval(*i) for i in [*before, *_list(commit, "intervals")])
    state["intervals"] = [[i.start, i.end] for i in done]
    state["pending"] = _list(commit, "pending")
    if "letters" in commit:
        there = [] if commit.get("letters_replace") else state.get("letter_files", [])
        state["letter_files"] = [*there, *_list(commit, "letters")]
    if "windows" in commit:
        _windows(state, commit)


def _windows(state: dict[str, Any], commit: Mapping[str, object]) -> None:
    """The watermark of a model of windows, and the rows that it has read since it was last computed as a whole."""
    told, before = _mapping(commit, "windows"), {} if commit.get("full") else state.get("windows", {})
    counted = {word: int(told.get(word, 0)) + int(before.get(word, 0)) for word in ("read", "late")}
    state["windows"] = {"watermark": told.get("watermark"), **counted}
    state["waiting"] = _list(commit, "waiting")


def _list(commit: Mapping[str, object], key: str) -> list[Any]:
    value = commit.get(key, [])
    return value if isinstance(value, list) else []


def _mapping(commit: Mapping[str, object], key: str) -> dict[str, Any]:
    value = commit.get(key, {})
    return dict(value) if isinstance(value, dict) else {}


def _letters(commit: Mapping[str, object]) -> int:
    new = sum(int(f.get("letters", 0)) for f in _list(commit, "files"))
    return new - len(_list(commit, "replayed")) - len(_list(commit, "discarded"))


def fold_history(commits: Iterable[tuple[int, Mapping[str, object]]]) -> dict[str, object]:
    """The fold over a whole history: snapshot numbers with the facts of their commits, oldest first."""
    state: dict[str, object] = {}
    for number, facts in commits:
        state = fold(state, number, facts)
    return state
