"""Coverage as it is shown: what is missed stands below the line where it is, and nothing else unless it is asked for."""

from __future__ import annotations

import json

from xde.app.covering import ModelCoverage
from xde.faces.words.coverage import model_fact, model_text, summary
from xde.faces.words.ink import Ink
from xde.undercurrents.engineering.coverage.branch import RIGHT_ALONE
from xde.undercurrents.engineering.coverage.covering import Tally, annotated
from xde.undercurrents.engineering.coverage.probing import survey
from xde.undercurrents.engineering.coverage.promises import Promise

SQL = """SELECT
\tcoalesce( t.v,  0 ) AS v, -- a tab before
    CASE WHEN t.v > 1 THEN 'many' ELSE 'few' END AS m
FROM s.t AS t
JOIN s.u AS u
    ON u.k = t.k
WHERE t.k > 1
  AND t.k < 9
"""


def model(hit=lambda branch: False, sql=SQL, cases=1):
    tally = Tally(survey(sql, {"s.t": Promise(frozenset({"k"})), "s.u": Promise(frozenset(), (frozenset({"k"}),))}))
    tally.take(lambda probe: [int(hit(b)) for b in probe.branches])
    coverage = tally.coverage()
    return ModelCoverage("marts.m", "models/marts/m.sql", 11, cases, coverage, annotated(sql, coverage))


def test_what_is_missed_is_shown_on_its_line():
    reached = {"kept", "matched", "fallback not needed", "WHEN 1 taken"}
    assert model_text(model(lambda b: b.outcome in reached)) == (
        "marts.m  46 %  6 of 13 branches, 1 case  models/marts/m.sql\n"
        "12 ~ |     coalesce( t.v,  0 ) AS v, -- a tab before\n"
        "     |     ^^^^^^^^^^^^^^^^^^^ the fallback is never used\n"
        "13 ~ |     CASE WHEN t.v > 1 THEN 'many' ELSE 'few' END AS m\n"
        "     |                                   ^^^^ never taken\n"
        "   ...\n"
        "15 ~ | JOIN s.u AS u\n"
        "     | ^^^^^^^^^^^^^ no left row without match, no right row without match\n"
        "   ...\n"
        "17 ~ | WHERE t.k > 1\n"
        "     | ^^^^^^^^^^^^^ no row is left out\n"
        "     |       ^^^^^^^ no row is left out\n"
        "18 ~ |   AND t.k < 9\n"
        "     |       ^^^^^^^ no row is left out\n"
    )


def test_a_line_that_no_row_reaches_says_so_once():
    shown = model_text(model(lambda b: b.kind != "join"))
    assert "15 - | JOIN s.u AS u\n     | ^^^^^^^^^^^^^ no row comes by\n" in shown
    assert "12 " not in shown


def test_whole_shows_every_line_and_what_is_no_branch():
    shown = model_text(model(lambda b: b.outcome != RIGHT_ALONE), whole=True)
    assert shown.count("\n") == 1 + len(SQL.splitlines()) + 1 + 4
    assert "14   | FROM s.t AS t\n" in shown
    assert "13 + |" in shown
    assert "cannot be: line 17, `t.k > 1`, unknown (NULL): what it is made from is never NULL" in shown
    assert "cannot be: line 15, `JOIN s.u AS u ON u.k = t.k`, several matches: it compares a key" in shown


def test_a_model_without_a_miss_or_without_a_case_is_one_line():
    assert model_text(model(lambda b: True)) == "marts.m  100 %  13 of 13 branches, 1 case  models/marts/m.sql\n"
    assert model_text(model(cases=0)) == "marts.m  0 %  0 of 13 branches, no case  models/marts/m.sql\n"


def test_a_narrow_terminal_and_hidden_characters_do_no_harm():
    sql = "SELECT 1 FROM t WHERE " + "a" * 200 + " = 'x\x1b[31m'"
    shown = model_text(model(sql=sql), cells=60)
    assert "\x1b" not in shown
    assert all(len(line) <= 60 + len(" no row comes by") for line in shown.splitlines()[1:])


def test_colour_is_by_what_is_reached():
    shown = model_text(model(lambda b: b.outcome == "kept"), Ink(on=True))
    assert "\x1b[1;33m23 %\x1b[0m" in shown
    assert "\x1b[1;31m-\x1b[0m" in shown


def test_a_percent_is_never_rounded_up_to_all():
    hits = iter([0] + [1] * 1000)
    sql = "SELECT " + ", ".join(f"coalesce(a{n}, 0)" for n in range(200)) + " FROM t"
    assert "  99 %  399 of 400 branches" in model_text(model(lambda b: next(hits), sql=sql))


def test_the_sum_of_all_models():
    assert summary([model(lambda b: True), model(cases=0)]) == "50 % of 26 branches reached; 1 model without a case"
    assert summary([model(lambda b: True)]) == "100 % of 13 branches reached"
    assert summary([model(sql="SELECT 1 AS x")]) == "no branches in what is looked at"


def test_as_data():
    fact = json.loads(json.dumps(model_fact(model(lambda b: b.outcome == "kept"))))
    assert {k: fact[k] for k in ("dataset", "path", "cases", "branches", "reached", "percent")} == {
        "dataset": "marts.m",
        "path": "models/marts/m.sql",
        "cases": 1,
        "branches": 13,
        "reached": 3,
        "percent": 23.1,
    }
    assert [(line["line"], line["status"]) for line in fact["lines"]] == [
        (12, "missed"),
        (13, "missed"),
        (15, "missed"),
        (17, "partly"),
        (18, "partly"),
    ]
    first = fact["lines"][0]["branches"][0]
    assert first["outcome"] == "fallback used"
    assert first["hits"] == 0
    assert {r["outcome"] for r in fact["ruled_out"]} == {"unknown (NULL)", "several matches"}
