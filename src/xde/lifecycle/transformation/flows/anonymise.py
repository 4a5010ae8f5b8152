"""Personal data hashed, made coarse or taken away."""

from __future__ import annotations

from xde.kernel.graph.flows.kinds import ArgumentError, Columns, Relation, Value
from xde.kernel.graph.flows.picture import Picture, table
from xde.kernel.graph.flows.signature import flow

PICTURE = Picture(
    "anonymise(shop.people, hash := email, secret := $secret, year := born, cut := zip, keep := 2, blank := phone)",
    {
        "shop.people": table("""
            email VARCHAR | born DATE  | zip VARCHAR | phone VARCHAR
            ann@x.nl      | 1990-05-17 | 2611AB      | 555
                          |            |             |
        """)
    },
    table("""
        email VARCHAR | born DATE  | zip VARCHAR | phone VARCHAR
        912e08c204524092637c673595ffca384268caf2a0306688bf5cf45435f26019 | 1990-01-01 | 26          |
                      |            |             |
    """),
    {"secret": "s3cret"},
)


@flow(picture=PICTURE)
def anonymise(  # noqa: PLR0913 - each is a choice of its own
    rows: Relation,
    *,
    hash: Columns | None = None,  # noqa: A002 - the word that users write
    secret: Value | None = None,
    year: Columns | None = None,
    cut: Columns | None = None,
    keep: int | None = None,
    tens: Columns | None = None,
    blank: Columns | None = None,
) -> str:
    """Put columns that tell of a person out of sight: hashed with a secret, made coarse, or NULL. Columns keep their names.

    A hash is 64 hexadecimal digits (SHA-256, twice, with the secret each time): the same value gives the same hash under the same secret,
    so that rows can still be joined, and only who knows the secret can try values out. NULL stays NULL. What is left of a coarse column
    may still tell of a person together with others: a year, a place and a trade are often one person alone.

    hash: columns to hash; give a `secret`
    secret: a parameter; whoever can read its value can try values out
    year: dates of which only the year is kept
    cut: texts of which only the first characters are kept: how many says `keep`
    keep: how many characters `cut` keeps
    tens: numbers rounded down to tens, such as ages
    blank: columns whose values become NULL
    """
    if hash is not None and secret is None:
        argument, message = "hash", "`hash` and no `secret`"
        raise ArgumentError(argument, message, "add `secret := $name`; without one, anybody can try values out")
    if secret is not None and not secret.text.startswith("$"):
        argument, message = "secret", "a secret that stands in the model"
        raise ArgumentError(argument, message, "write `$name`, and give its value as a parameter")
    if (cut is None) != (keep is None):
        argument, message = "cut" if keep is None else "keep", "only one of `cut` and `keep`"
        raise ArgumentError(argument, message, "`cut` names the columns, `keep` how many characters stay")
    made = [f"sha256({secret} || sha256({secret} || CAST({c} AS VARCHAR))) AS {c}" for c in hash or ()]
    made += [f"CAST(date_trunc('year', {c}) AS DATE) AS {c}" for c in year or ()]
    made += [f"substr(CAST({c} AS VARCHAR), 1, {keep}) AS {c}" for c in cut or ()]
    made += [f"CAST(floor({c} / 10) * 10 AS BIGINT) AS {c}" for c in tens or ()]
    made += [f"CASE WHEN FALSE THEN {c} END AS {c}" for c in blank or ()]
    if not made:
        argument, message = "rows", "nothing to do"
        raise ArgumentError(argument, message, "name columns: `hash`, `year`, `cut`, `tens` or `blank`")
    named = [c.text.lower() for columns in (hash, year, cut, tens, blank) for c in columns or ()]
    twice = next((n for i, n in enumerate(named) if n in named[:i]), None)
    if twice is not None:
        argument, message = "rows", f"`{twice}` in two ways"
        raise ArgumentError(argument, message, "choose one for each column")
    return f"SELECT * REPLACE ({', '.join(made)}) FROM {rows} AS __flow_input"
