"""Plain SQL in the place of calls: the lines stay, arguments are carried over as they are, and each place is found again."""

import pytest
from xde.kernel.graph.flows.book import FlowBook
from xde.kernel.graph.flows.expanding import expand
from xde.kernel.graph.flows.kinds import Columns, Expression, Relation
from xde.kernel.graph.flows.signature import flow, flow_of


@flow
def first(rows: Relation, *, key: Columns) -> str:
    """Something short.

    key: by what
    """
    return f"SELECT DISTINCT ON ({key}) * -- a comment\n FROM {rows} AS __flow_input"


@flow
def both(one: Relation, other: Relation, *, on: Expression) -> str:
    """Two of them."""
    return f"SELECT * FROM {one} JOIN {other} ON {on} AND 'it''s' <> \"a b\""


@flow
def twice(rows: Relation, *, by: Expression) -> str:
    """An argument that stands in two places."""
    return f"SELECT {by} AS a, {by} AS b FROM {rows}"


BOOK = FlowBook({f.__name__: (lambda f=f: flow_of(f)) for f in (first, both, twice)})


def test_a_call_becomes_a_query_with_a_name_of_its_own():
    made = expand('SELECT * FROM first(a.b, key := (x, "Y z")) AS f', BOOK)
    assert made.sql == (
        'SELECT * FROM (WITH __flow_1 AS (SELECT DISTINCT ON ("x", "Y z") * FROM a.b AS __flow_input) SELECT * FROM __flow_1) AS f'
    )
    assert made.expansion.flows == ("first",)


def test_a_text_without_calls_is_the_same_text():
    for sql in (
        "SELECT first(x) FROM a.b",
        "SELECT 1",
        "SELECT * FROM range(3)",
        "SELECT * FROM 'x",
        "SELECT struct_pack(a := 1) FROM a.b",
    ):
        assert expand(sql, BOOK) == (sql, None, ())


def test_what_is_not_a_dataset_gets_a_name_so_that_nothing_is_hidden():
    made = expand("WITH c AS (SELECT 1 AS x) SELECT * FROM both(c, (SELECT * FROM c), on := x = 1)", BOOK)
    assert made.sql.endswith(
        "(WITH __flow_1_1 AS (SELECT * FROM c), __flow_1_2 AS (SELECT * FROM (SELECT * FROM c)), "
        "__flow_1 AS (SELECT * FROM __flow_1_1 JOIN __flow_1_2 ON (x = 1) AND 'it''s' <> \"a b\") SELECT * FROM __flow_1)"
    )


def test_flows_go_into_flows():
    made = expand("SELECT * FROM first(first(a.b, key := x), key := y)", BOOK)
    assert made.sql == (
        "SELECT * FROM (WITH __flow_1_1 AS (SELECT * FROM "
        '(WITH __flow_2 AS (SELECT DISTINCT ON ("x") * FROM a.b AS __flow_input) SELECT * FROM __flow_2)), '
        '__flow_1 AS (SELECT DISTINCT ON ("y") * FROM __flow_1_1 AS __flow_input) SELECT * FROM __flow_1)'
    )


def test_flows_are_found_inside_of_what_goes_in():
    made = expand("SELECT * FROM first((SELECT * FROM a.b WHERE x IN (SELECT x FROM first(a.c, key := x)) /* so */ ), key := y)", BOOK)
    assert 'IN (SELECT x FROM (WITH __flow_2 AS (SELECT DISTINCT ON ("x") * FROM a.c AS __flow_input) SELECT * FROM __flow_2))' in made.sql


def test_every_line_stays_where_it_was():
    sql = "SELECT a\nFROM first(\n  a.b, -- from here\n  key :=\n    x\n) AS f\nWHERE f.a > 1 /* end */\n"
    made = expand(sql, BOOK)
    assert made.sql.count("\n") == sql.count("\n")
    assert made.sql.splitlines()[-1] == "WHERE f.a > 1 /* end */"
    assert made.sql.splitlines()[0] == "SELECT a"


def test_each_place_is_found_again():
    sql = 'SELECT a,\n b FROM first(a.b, key := (x,\n  "Y")) AS f WHERE f.z'
    made = expand(sql, BOOK)

    def back(text, length=1):
        start, size = made.expansion.origin(made.sql.index(text), length)
        return sql[start : start + size]

    assert back("b FROM", 6) == "b FROM"
    assert back("a.b", 3) == "a.b"
    assert back('"x"', 3) == "x"
    assert back('"Y"', 3) == '"Y"'
    assert back("f.z", 3) == "f.z"
    assert back("DISTINCT", 8) == "first"
    assert made.expansion.origin(len(made.sql) + 5, 1) == (len(sql), 1)


def test_what_may_stand_twice_is_not_free():
    made = expand("SELECT a FROM twice((SELECT q FROM a.b), by := q + 1) AS f", BOOK)
    free = [made.sql[s.start : s.end] for s in made.expansion.stretches if s.free]
    assert free == ["SELECT a FROM ", "(SELECT q FROM a.b)", " AS f"]
    first_place, last_place = made.expansion.calls[0]
    assert made.sql[first_place:last_place].startswith("(WITH __flow_1_1")
    assert made.sql[first_place:last_place].endswith("SELECT * FROM __flow_1)")
    assert made.expansion.in_call(made.sql.index("q + 1"))
    assert not made.expansion.in_call(made.sql.index(" AS f"))


def test_nothing_of_an_argument_is_lost_that_the_parser_would_lose():
    made = expand("SELECT * FROM twice(a.b, by := round_even(x,  /* two */ 2))", BOOK)
    assert made.sql.count("(round_even(x,            2))") == 2


@pytest.mark.parametrize("name", ["__flow_1", "__FLOW_x", '"__flow_rank"', "__xde_mark_1__"])
def test_names_of_flows_are_not_for_others(name):
    (fault,) = expand(f"SELECT {name} FROM first(a.b, key := x)", BOOK).faults
    assert fault.code == "XDE0252"
    assert fault.place == (7, len(name))


def test_a_text_that_the_scanner_cannot_divide_is_left_to_the_reader():
    assert expand("SELECT * FROM first(a.b, key := 'x)", BOOK) == ("SELECT * FROM first(a.b, key := 'x)", None, ())


def test_parentheses_that_are_not_closed_do_no_harm():
    for sql in (
        "SELECT * FROM first(a.b, key := x",
        "SELECT * FROM first(",
        "SELECT * FROM first((((",
        "FROM first(a.b, key := (x",
        "SELECT ) FROM first(a.b, key := x))",
    ):
        expand(sql, BOOK)


@flow
def composed(rows: Relation, *, key: Columns, by: Expression) -> str:
    """A flow that calls flows."""
    return f"SELECT * FROM first((SELECT a FROM twice({rows}, by := {by})), key := ({key}))"


@flow
def endless(rows: Relation) -> str:
    """A flow that calls itself."""
    return f"SELECT * FROM endless({rows})"


@flow
def mistaken(rows: Relation) -> str:
    """A flow that calls another wrongly."""
    return f"SELECT * FROM first({rows}, kee := 1)"


@flow
def quoting(rows: Relation) -> str:
    """Texts of every kind that the dialect has."""
    return f"SELECT 'it''s', e'\\n', $$a'b$$, \"x\"\"y\", 1.5e3, x::INT FROM {rows}"


MORE = FlowBook({f.__name__: (lambda f=f: flow_of(f)) for f in (first, twice, composed, endless, mistaken, quoting)})


def test_a_flow_may_call_flows():
    made = expand("WITH c AS (SELECT 1 AS x) SELECT * FROM composed(c, key := (x, y), by := z + 1) AS f", MORE)
    assert made.faults == ()
    assert "mark" not in made.sql
    assert made.sql.endswith(
        "(WITH __flow_1_1 AS (SELECT * FROM c), __flow_1 AS (SELECT * FROM "
        "(WITH __flow_2_1 AS (SELECT * FROM (SELECT a FROM (WITH __flow_3_1 AS (SELECT * FROM __flow_1_1), "
        "__flow_3 AS (SELECT (z + 1) AS a, (z + 1) AS b FROM __flow_3_1) SELECT * FROM __flow_3))), "
        '__flow_2 AS (SELECT DISTINCT ON ("x", "y") * FROM __flow_2_1 AS __flow_input) SELECT * FROM __flow_2)) SELECT * FROM __flow_1) AS f'
    )
    assert set(made.expansion.flows) == {"composed", "first", "twice"}
    assert made.sql[slice(*made.expansion.calls[0])].startswith("(WITH __flow_1_1")


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("endless(a.b)", "it calls itself without end"),
        ("mistaken(a.b)", "in its own SQL it gives `first` an argument `kee` that it does not have"),
    ],
)
def test_a_flow_that_calls_flows_wrongly_is_told_where_it_is_called(call, why):
    (fault,) = expand(f"SELECT * FROM {call}", MORE).faults
    assert (fault.code, fault.place) == ("XDE0247", (14, call.index("(")))
    assert why in fault.why


def test_what_a_flow_writes_is_left_as_it_is():
    made = expand("SELECT * FROM quoting(a.b)", MORE)
    assert "SELECT 'it''s', e'\\n', $$a'b$$, \"x\"\"y\", 1.5e3, x::INT FROM a.b" in made.sql
