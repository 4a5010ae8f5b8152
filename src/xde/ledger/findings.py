"""Everything that can be wrong with where a ledger lies, in words for the one who must mend it."""

from __future__ import annotations

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean

SCHEMES = ("sqlite", "postgresql")


def wrong_url(url: str, scheme: str) -> Finding:
    """The scheme is none of ours."""
    hint = did_you_mean(scheme, SCHEMES) or "write `sqlite:.xde/ledger.sqlite` or `postgresql://user@host/database`"
    return Finding("XDE0700", f"`{url}` is not an address of a ledger", why="a ledger is SQLite or PostgreSQL", hint=hint)


def no_path(url: str) -> Finding:
    """A SQLite address that names no file."""
    why = "after `sqlite:` stands the path of a file, relative to the project"
    return Finding("XDE0700", f"`{url}` names no file for the ledger", why=why, hint="write `sqlite:.xde/ledger.sqlite`")


def driver_missing() -> Finding:
    """The extra for PostgreSQL is not there."""
    return Finding(
        "XDE0701",
        "a ledger in PostgreSQL needs the package `psycopg`, which is not installed",
        why="`ledger:` in `xde.yaml` starts with `postgresql:`",
        hint="pip install 'xde[postgres]'",
    )


def not_writable(label: str, why: str) -> Finding:
    """The file or its folder cannot be written."""
    return Finding(
        "XDE0702",
        f"the ledger `{label}` cannot be written",
        why=why,
        hint="make its folder writable, or name another place with `ledger:` in `xde.yaml`",
    )


def is_folder(label: str) -> Finding:
    """A folder stands where the file should be."""
    return Finding(
        "XDE0703", f"the ledger `{label}` is a folder", why="the ledger is one file", hint=f"write `ledger: sqlite:{label}/ledger.sqlite`"
    )


BROKEN = frozenset({"XDE0704", "XDE0706"})  # what `xde ledger rebuild` mends


def not_a_database(label: str) -> Finding:
    """Something that SQLite did not write, or its first page is gone."""
    return Finding(
        "XDE0704",
        f"the ledger `{label}` is not a database",
        why="the file does not begin as SQLite's files do",
        hint="if it was the ledger, `xde ledger rebuild` moves it aside and reads the lake; if not, name another file with `ledger:`",
    )


def of_others(label: str, table: str) -> Finding:
    """A good database that is not a ledger."""
    return Finding(
        "XDE0705",
        f"the database `{label}` is not a ledger",
        why=f"it holds the table `{table}` and none of ours",
        hint="name a file of its own with `ledger:` in `xde.yaml`",
    )


def damaged(label: str, why: str) -> Finding:
    """Was a ledger, can no longer be read."""
    return Finding("XDE0706", f"the ledger `{label}` is damaged", why=why, hint="xde ledger rebuild")


def too_new(label: str, theirs: int, ours: int) -> Finding:
    """A later release has migrated it."""
    return Finding(
        "XDE0707",
        f"the ledger `{label}` was written by a newer xde",
        why=f"it has migration {theirs}, this xde knows {ours}",
        hint="pip install --upgrade xde",
    )


def disk_full(label: str) -> Finding:
    """No room; what was being written has been undone."""
    return Finding(
        "XDE0708",
        f"there is no room left for the ledger `{label}`",
        why="the disk is full; nothing was half written",
        hint="free some space and run again",
    )


def disk_failed(label: str, why: str) -> Finding:
    """The system refused to read or write."""
    return Finding(
        "XDE0709",
        f"the ledger `{label}` could not be read or written",
        why=why,
        hint="look at the disk; SQLite needs a local one, `postgresql://` serves several machines",
    )


def server_away(label: str, why: str) -> Finding:
    """No PostgreSQL answers there."""
    return Finding(
        "XDE0710",
        f"the ledger's server `{label}` does not answer",
        why=why,
        hint="start the server, or mend host and port of `ledger:` in `xde.yaml`",
    )


def refused(label: str, why: str) -> Finding:
    """PostgreSQL does not let us in, or has no such database."""
    return Finding(
        "XDE0711", f"the ledger's server `{label}` refuses us", why=why, hint="mend user, password or database of `ledger:` in `xde.yaml`"
    )


def not_permitted(label: str, why: str) -> Finding:
    """PostgreSQL lets us in but not write."""
    return Finding(
        "XDE0712", f"we may not write the ledger `{label}`", why=why, hint="GRANT CREATE, USAGE ON SCHEMA public TO the user of `ledger:`"
    )
