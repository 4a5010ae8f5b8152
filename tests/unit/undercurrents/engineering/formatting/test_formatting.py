"""Pairs of a text and its form; over every query at hand and random ones: nothing lost, nothing new, and the form of a form is itself."""

from __future__ import annotations

import random
import re
from pathlib import Path

import duckdb
import pytest

from xde.undercurrents.engineering.formatting.cases import WORDS
from xde.undercurrents.engineering.formatting.formatting import format_sql, spelt
from xde.undercurrents.engineering.formatting.pieces import UnreadableError, pieces_of

ROOT = Path(__file__).parents[5]
PAIRS = [re.split(r"^----\n", p, flags=re.MULTILINE) for p in Path(__file__).with_name("pairs.sql").read_text().split("====\n")]


def corpus() -> list[str]:
    """Every query of the examples, the stories, the documents and the tests, and the twenty-two of TPC-H."""
    found = [p.read_text() for p in sorted((ROOT / "examples").rglob("*.sql"))]
    found += (ROOT / "tests/spark/tpch.sql").read_text().split(";")
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "tests").rglob("*.md")]:
        found += re.findall(r"```sql[^\n]*\n(.*?)```", page.read_text(), re.DOTALL)
    rules = (ROOT / "tests/unit/undercurrents/engineering/linting/test_rules.py").read_text()
    found += re.findall(r'"((?:SELECT|WITH) [^"]*)"', rules)
    found += (ROOT / "tests/unit/undercurrents/engineering/mutants/pairs.sql").read_text().split(";")
    return [f.replace("\\n", "\n") for f in found]


CORPUS = corpus()
BETWEEN = [
    "\n",
    "\n\n",
    "  ",
    "\n   ",
    " -- c\n",
    "\n-- own\n",
    "\n\n-- own\n  ",
    " /* b */ ",
    "\n/* b\n c */\n",
    " /* x */\n",
    "\n\n/* y */ ",
]


def strewn(sql: str, chance: random.Random) -> str:
    """The text with line ends and comments strewn over it."""
    found = ""
    often = chance.choice([0.02, 0.1, 0.4])
    for piece in pieces_of(sql)[0]:
        gap = " " if piece.gap else ""
        if found and chance.random() < often:
            gap = chance.choice(BETWEEN)
        found += gap + piece.text
    return found + chance.choice(["", "\n", " -- end", "\n-- end\n", ";"])


def test_there_is_enough_to_try_it_on():
    assert len(CORPUS) > 250


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=range(len(PAIRS)))
def test_a_text_and_its_form(before, after):
    assert format_sql(before) == after
    assert format_sql(after) == after


@pytest.mark.parametrize("part", range(8))
def test_nothing_is_lost_and_a_form_is_its_own_form(part):
    for sql in CORPUS[part::8]:
        found = format_sql(sql)
        assert spelt(found) == spelt(sql)
        assert format_sql(found) == found


@pytest.mark.parametrize("seed", range(5))
def test_the_same_of_texts_with_line_ends_and_comments_anywhere(seed):
    chance = random.Random(seed)
    for _ in range(60):
        sql = strewn(chance.choice(CORPUS), chance)
        found = format_sql(sql)
        assert spelt(found) == spelt(sql)
        assert format_sql(found) == found, sql


NAMING = [
    "select 1 as WORD",
    "select 1 WORD, 2 b",
    "select 1 WORD",
    "select t.WORD from (select 1 as WORD) t",
    "select WORD, 2 from (select 1 as WORD) where WORD = 1",
    "with WORD as (select 1 a) select * from WORD",
    "select {WORD: 1} as x",
    "select 1 a from (select 1 as WORD) x where x.WORD is null order by WORD",
]


def test_the_engine_gives_columns_of_the_same_names():
    """A label after AS may be any word: in capitals it would be another name."""
    engine = duckdb.connect()
    asked = 0
    for word in sorted(WORDS):
        for form in NAMING:
            sql = form.replace("WORD", word)
            try:
                names = [d[0] for d in engine.execute(sql).description]
                found = format_sql(sql)
            except (duckdb.Error, UnreadableError):
                continue
            assert [d[0] for d in engine.execute(found).description] == names, found
            asked += 1
    assert asked > 350


@pytest.mark.parametrize("sql", ["SELECT 'a", "SELECT /* a", 'SELECT "a'])
def test_what_is_no_text_of_tokens_is_refused(sql):
    with pytest.raises(UnreadableError):
        format_sql(sql)
