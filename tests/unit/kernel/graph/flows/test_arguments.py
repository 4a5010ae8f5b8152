"""Wrong arguments: each with what is said, where, and the hint that mends it."""

import pytest
from xde.app.flows import our_flows
from xde.kernel.graph.flows.book import FlowBook
from xde.kernel.graph.flows.expanding import expand

BOOK = FlowBook({f.name: (lambda f=f: f) for f in our_flows()})

# the call with `«»` around what is pointed at; code, message, hint
WRONG = [
    ("«dedup»(a.b, key := x)", "XDE0240", "calls `dedup`, which is no flow and no function that gives a table", "did you mean `dedupe`?"),
    (
        "«nothing_like_it»(a.b, key := x)",
        "XDE0240",
        "calls `nothing_like_it`, which is no flow and no function that gives a table",
        "see the flows with `xde flows`",
    ),
    ("dedupe(a.b, «keys» := x)", "XDE0241", "gives `dedupe` an argument `keys` that it does not have", "did you mean `key`?"),
    (
        "dedupe(a.b, key := x, «zzz» := y)",
        "XDE0241",
        "gives `dedupe` an argument `zzz` that it does not have",
        "it takes `rows`, `key`, `newest`, `oldest` and `ties`",
    ),
    ("«dedupe»(a.b)", "XDE0242", "calls `dedupe` without `key`", "add `key := ...`"),
    ("«dedupe»(key := x)", "XDE0242", "calls `dedupe` without `rows`", "add `rows`"),
    ("«dedupe»()", "XDE0242", "calls `dedupe` without `rows`", "add `rows`"),
    ("«union_all»()", "XDE0242", "calls `union_all` without `relations`", "add `relations`"),
    (
        "dedupe(«SELECT * FROM a.b», key := x)",
        "XDE0243",
        "gives `dedupe` no relation for `rows`: `SELECT * FROM a.b`",
        "put the query in parentheses",
    ),
    ("dedupe(«3», key := x)", "XDE0243", "gives `dedupe` no relation for `rows`: `3`", "write a dataset, a CTE, `(SELECT ...)` or a flow"),
    (
        "dedupe(«'a.b'», key := x)",
        "XDE0243",
        "gives `dedupe` no relation for `rows`: `'a.b'`",
        "write a dataset, a CTE, `(SELECT ...)` or a flow",
    ),
    (
        "dedupe(«(a, b)», key := x)",
        "XDE0243",
        "gives `dedupe` no relation for `rows`: `(a, b)`",
        "write a dataset, a CTE, `(SELECT ...)` or a flow",
    ),
    ("dedupe(a.b, key := «'x'»)", "XDE0243", "gives `dedupe` no columns for `key`: `'x'`", "write `x` without quotes"),
    ("dedupe(a.b, key := «b.x»)", "XDE0243", "gives `dedupe` no columns for `key`: `b.x`", "write `x` alone"),
    (
        "dedupe(a.b, key := «x + 1»)",
        "XDE0243",
        "gives `dedupe` no columns for `key`: `x + 1`",
        "write the name alone, in double quotes if it is no plain word",
    ),
    (
        "dedupe(a.b, key := «(x, 1)»)",
        "XDE0243",
        "gives `dedupe` no columns for `key`: `(x, 1)`",
        "write the name alone, in double quotes if it is no plain word",
    ),
    (
        "dedupe(a.b, key := «()»)",
        "XDE0243",
        "gives `dedupe` no columns for `key`: `()`",
        "write the name alone, in double quotes if it is no plain word",
    ),
    (
        "dedupe(a.b, key := «*»)",
        "XDE0243",
        "gives `dedupe` no columns for `key`: `*`",
        "write the name alone, in double quotes if it is no plain word",
    ),
    (
        "as_of(a.b, a.c, at := «(x, y)», columns := z)",
        "XDE0243",
        "gives `as_of` no column for `at`: `(x, y)`",
        "write the name alone, in double quotes if it is no plain word",
    ),
    (
        "latest(a.b, key := x, at := t, deleted := «sum(y) > 1»)",
        "XDE0243",
        "gives `latest` no expression for `deleted`: `sum(y) > 1`",
        "work it out before: give the flow `(SELECT ... FROM ...)`",
    ),
    (
        "latest(a.b, key := x, at := t, deleted := «y IN (SELECT z FROM a.c)»)",
        "XDE0243",
        "gives `latest` no expression for `deleted`: `y IN (SELECT z FROM a.c)`",
        "join what it reads before: give the flow `(SELECT ... FROM ... JOIN ...)`",
    ),
    (
        "latest(a.b, key := x, at := t, deleted := «y AS z»)",
        "XDE0243",
        "gives `latest` no expression for `deleted`: `y AS z`",
        "write one value, such as `amount * 2`",
    ),
    (
        "latest(a.b, key := x, at := t, deleted := «y +»)",
        "XDE0243",
        "gives `latest` no expression for `deleted`: `y +`",
        "write one value, such as `amount * 2`",
    ),
    (
        "latest(a.b, key := x, at := t, until := «today»)",
        "XDE0243",
        "gives `latest` no constant or a parameter for `until`: `today`",
        "did you mean `$today`?",
    ),
    (
        "latest(a.b, key := x, at := t, until := «t + 1»)",
        "XDE0243",
        "gives `latest` no constant or a parameter for `until`: `t + 1`",
        "write a constant, or a parameter as `$name`",
    ),
    (
        "sessionize(a.b, at := t, gap := «30»)",
        "XDE0243",
        "gives `sessionize` no interval for `gap`: `30`",
        "write it as `INTERVAL 30 MINUTES`",
    ),
    (
        "sessionize(a.b, at := t, gap := «'30 minutes'»)",
        "XDE0243",
        "gives `sessionize` no interval for `gap`: `'30 minutes'`",
        "write it as `INTERVAL 30 MINUTES`",
    ),
    (
        "sessionize(a.b, at := t, name := «'visit'»)",
        "XDE0243",
        "gives `sessionize` no new column's name for `name`: `'visit'`",
        "write `visit` without quotes",
    ),
    (
        "fill(a.b, columns := x, by := t, most := «-1»)",
        "XDE0243",
        "gives `fill` no whole number for `most`: `-1`",
        "write digits, such as `3`",
    ),
    (
        "fill(a.b, columns := x, by := t, most := «1.5»)",
        "XDE0243",
        "gives `fill` no whole number for `most`: `1.5`",
        "write digits, such as `3`",
    ),
    (
        "fill(a.b, columns := x, by := t, direction := «forwards»)",
        "XDE0243",
        "gives `fill` no word for `direction`: `forwards`",
        "did you mean `forward`?",
    ),
    (
        "fill(a.b, columns := x, by := t, direction := «up»)",
        "XDE0243",
        "gives `fill` no word for `direction`: `up`",
        "write one of `forward` and `backward`",
    ),
    (
        "pivot(a.b, by := x, spread := y, into := «z»)",
        "XDE0243",
        "gives `pivot` no constants for `into`: `z`",
        "write the constants in brackets: `['a', 'b']`",
    ),
    ("dedupe(a.b, key := x«,»)", "XDE0243", "gives `dedupe` an argument without a value", "take the comma away"),
    ("dedupe(a.b, key := x, «key» := y)", "XDE0244", "gives `dedupe` the argument `key` twice", "leave one of them"),
    (
        "dedupe(a.b, «x»)",
        "XDE0244",
        "gives `dedupe` more arguments without a name than it takes",
        "write `NAME :=` before it; the names are `key`, `newest`, `oldest` and `ties`",
    ),
    ("dedupe(key := x, «a.b»)", "XDE0244", "gives `dedupe` an argument without a name after one with a name", "write `NAME :=` before it"),
    ("dedupe(a.b, key := x, newest := y, oldest := «z»)", "XDE0245", "calls `dedupe` with both `newest` and `oldest`", "leave one of them"),
    (
        "fill(a.b, columns := x, by := t, most := «0»)",
        "XDE0245",
        "calls `fill` with a `most` of 0, which fills nothing",
        "write 1 or more, or leave it out",
    ),
    (
        "spine(start := 1, stop := 2, grain := day, every := «INTERVAL 1 DAY»)",
        "XDE0245",
        "calls `spine` with both `grain` and `every`",
        "leave one of them",
    ),
    (
        "pivot(a.b, by := x, spread := y, into := «['A', 'a']», value := v)",
        "XDE0245",
        "calls `pivot` with a value twice",
        "upper and lower case make no difference in the name of a column",
    ),
    (
        "lookup(a.b, a.c, key := (x, y), reference_key := «z», columns := v)",
        "XDE0245",
        "calls `lookup` with 1 columns for the 2 of `key`",
        "name one for each",
    ),
    (
        "union_all(a.b, (SELECT 1), source := «s»)",
        "XDE0245",
        "calls `union_all` with a `source` and a query that has no name",
        "add `names := ['first', 'second']`, one for each relation",
    ),
    (
        "anonymise(a.b, hash := «x»)",
        "XDE0245",
        "calls `anonymise` with `hash` and no `secret`",
        "add `secret := $name`; without one, anybody can try values out",
    ),
    (
        "anonymise(a.b, hash := x, secret := «'abc'»)",
        "XDE0245",
        "calls `anonymise` with a secret that stands in the model",
        "write `$name`, and give its value as a parameter",
    ),
    (
        "funnel(a.b, key := x, at := t, event := e, steps := «'one'»)",
        "XDE0245",
        "calls `funnel` with less than two steps",
        "write them in brackets: `['look', 'pay']`",
    ),
    (
        "unknown_member(a.b, key := x, label := «'none'»)",
        "XDE0245",
        "calls `unknown_member` with a `label` and no `labels` to hold it",
        "name the columns: `labels := (name, country)`",
    ),
    (
        "validate(a.b, rule := «r»)",
        "XDE0245",
        "calls `validate` with nothing to hold the rows against",
        "add `against := ...` and `key := ...`, or `holds := ...`",
    ),
]


@pytest.mark.parametrize(("call", "code", "message", "hint"), WRONG, ids=[w[0] for w in WRONG])
def test_what_is_wrong_is_said_at_its_place(call, code, message, hint):
    before, rest = call.split("«")
    pointed, after = rest.split("»")
    sql = f"SELECT *\nFROM {before}{pointed}{after} AS f"
    made = expand(sql, BOOK)
    (fault,) = made.faults
    assert (fault.code, fault.message, fault.hint) == (code, message, hint)
    assert sql[fault.place.start : fault.place.start + fault.place.length] == pointed
    assert made.expansion.broken


def test_all_that_is_wrong_is_said_at_once():
    made = expand("SELECT * FROM dedupe(3, key := 'x', newst := 1) AS f, fill(a.b, by := 2)", BOOK)
    assert sorted(f.code for f in made.faults) == ["XDE0241", "XDE0242", "XDE0243", "XDE0243", "XDE0243"]


RIGHT = [
    "dedupe(a.b, key := x)",
    "dedupe(a.b, key := (x))",
    "dedupe(a.b, key := [x, y])",
    'dedupe("a"."b", key := (x, "Y z"))',
    "DEDUPE(a.b, KEY := x, Newest => t)",
    "dedupe(rows := a.b, key := x)",
    "dedupe(c, key := x)",
    "dedupe((WITH q AS (SELECT 1) SELECT * FROM q), key := x)",
    "dedupe((FROM a.b), key := x)",
    "dedupe((VALUES (1)), key := x)",
    "dedupe(range(3), key := x)",
    "latest(a.b, key := x, at := t, until := $end, deleted := list_contains(l, y -> y > 1))",
    "latest(a.b, key := x, at := t, until := DATE '2024-01-01' + INTERVAL 1 DAY)",
    "sessionize(a.b, at := t, gap := INTERVAL '1 hour')",
    "sessionize(a.b, at := t, gap := $gap, name := visit)",
    "fill(a.b, columns := x, by := date, direction := 'backward')",
    "pivot(a.b, by := x, spread := y, into := 'z')",
    "union_all(a.b, a.c, a.d)",
]


@pytest.mark.parametrize("call", RIGHT)
def test_what_is_right_is_not_refused(call):
    made = expand(f"WITH c AS (SELECT 1 AS x) SELECT * FROM {call}", BOOK)
    assert made.faults == ()
    assert made.expansion is not None
