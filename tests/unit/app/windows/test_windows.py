"""Models of windows in a real project: what is told, what is read, what stands in the facts, and what is done when rows go."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from projects.clicks import CONTRACT, MODELS, moment

from xde.app.workspace import Workspace
from xde.connectors.duckdb.transformation import DuckdbEngine
from xde.ground.errors import UserError

SESSIONS = "marts.session_separate"


def codes(web):
    with pytest.raises(UserError) as caught, Workspace.open(web.root) as workspace:
        assert workspace.known
    return [f.code for f in caught.value.findings]


def failed(web):
    with Workspace.open(web.root) as workspace:
        finished = workspace.run()
    return [f.code for o in finished.outcomes if o.status == "failed" for f in o.findings]


def head(*words, kind="incremental"):
    return "\n".join(["/* xde", f"kind: {kind}", *words, "*/\n"])


TUMBLE = "SELECT window_start, window_end, count(*) AS n FROM tumble(web.clicks, at := at, size := INTERVAL 10 MINUTES) GROUP BY ALL\n"


def test_the_watermark_stands_in_the_facts_and_never_goes_back(clicks):
    web = clicks("marts.tumble_dropped")
    web.deliver([(1, "a", 30)])
    web.run()
    web.deliver([(2, "a", 3), (3, "a", 29)])
    done = web.run()["marts.tumble_dropped"]
    assert [f.code for f in done.findings] == ["XDE0259"]
    newest, first = (f["windows"] for f in web.facts("marts.tumble_dropped"))
    assert first == {"watermark": "2024-05-01T00:23:00+00:00", "read": 1, "late": 0, "without": 0}
    assert newest == {"watermark": "2024-05-01T00:23:00+00:00", "read": 2, "late": 1, "without": 0}


def test_what_came_too_late_is_let_in_by_a_full_build_and_its_letter_is_gone(clicks):
    web = clicks(SESSIONS)
    web.deliver([(1, "a", 0), (2, "b", 40)])
    web.run()
    web.deliver([(3, "a", 2), (4, "a", 3)])
    assert web.run()[SESSIONS].letters == 2
    assert [(r["id"], r["window_start"], r["window_end"], rule) for r, rule in web.letters(SESSIONS)] == [
        (3, "2024-05-01 00:02:00", "2024-05-01 00:08:00", "late"),
        (4, "2024-05-01 00:02:00", "2024-05-01 00:08:00", "late"),
    ]
    web.run(SESSIONS, full=True, reason="a test")
    assert web.letters(SESSIONS) == []
    assert web.tables(SESSIONS)[SESSIONS] == [(moment(0), moment(8), "a", 3, 8), (moment(40), moment(45), "b", 1, 2)]


def test_equal_rows_that_come_too_late_twice_are_two_letters(clicks):
    web = clicks("marts.tumble_separate")
    web.deliver([(1, "a", 40)])
    web.run()
    for _ in range(2):
        web.deliver([(2, "a", 2), (web.loads, "a", 50)])
        web.run()
    assert [r["id"] for r, _ in web.letters("marts.tumble_separate")] == [2, 2]


def test_a_row_without_a_time_stops_a_model_or_is_a_letter(clicks):
    web = clicks("marts.tumble_update", "marts.tumble_dropped", "marts.slide_separate")
    web.deliver([], "id,visitor,at\n1,a,2024-05-01 00:00:00\n2,b,\n")
    assert failed(web) == ["XDE0268", "XDE0268"]
    assert [(r["id"], r["window_start"], rule) for r, rule in web.letters("marts.slide_separate")] == [(2, None, "no_time")]
    assert web.tables("marts.slide_separate")["marts.slide_separate"][0][2:] == ("a", 1, 1)
    web.deliver([], "id,visitor,at\n3,b,\n")
    web.run("web.clicks", "marts.slide_separate")
    assert [r["id"] for r, _ in web.letters("marts.slide_separate")] == [2, 3]


def test_a_time_without_end_is_told_and_no_watermark_goes_there(clicks):
    web = clicks("marts.tumble_dropped")
    rows = '(SELECT id, visitor, CASE WHEN id = 1 THEN TIMESTAMP \'infinity\' ELSE "at" END AS "at" FROM web.clicks)'
    web.model("marts.tumble_dropped", MODELS["marts.tumble_dropped"].replace("web.clicks", rows))
    web.deliver([(1, "a", 0)])
    assert failed(web) == ["XDE0200"]


@pytest.mark.slow
def test_only_the_day_of_a_late_row_is_read_and_computed(clicks, monkeypatch):
    """One of 365 days: the others are neither read nor written."""
    web = clicks("marts.tumble_update")
    web.write("models/marts/tumble_update.sql", MODELS["marts.tumble_update"].replace("web.clicks", "staging.clicks"))
    web.write("models/marts/session_update.sql", MODELS["marts.session_update"].replace("web.clicks", "staging.clicks"))
    web.model("staging.clicks", head("time: at", "partition: day(at)") + "SELECT * FROM web.clicks\n")
    web.deliver([(n * 3 + m, "ab"[m % 2], n * 1440 + 600 + m * 4) for n in range(365) for m in range(3)])
    web.run()
    read = []
    for method in ("write", "rows"):
        real = getattr(DuckdbEngine, method)

        def seen(self, query, inputs, *more, real=real):
            if "staging.clicks" in query.sql:
                read.append(len(inputs["staging.clicks"].paths))
            return real(self, query, inputs, *more)

        monkeypatch.setattr(DuckdbEngine, method, seen)
    web.deliver([(9_999, "a", 100 * 1440 + 603)])
    done = web.run()
    assert len(read) > 4
    assert set(read) == {1}
    assert (done["marts.tumble_update"].rows, done["marts.session_update"].rows) == (2, 2)
    newest = web.facts("marts.tumble_update")[0]
    assert newest["intervals"] == [["2024-08-09T10:00:00", "2024-08-09T10:00:01"]]
    assert newest["windows"]["late"] == 1
    (total,) = {sum(r[3] for r in rows) for rows in web.tables("marts.tumble_update", "marts.session_update").values()}
    assert total == 365 * 3 + 1


@pytest.mark.slow
def test_rows_that_change_or_go_are_taken_out_of_their_windows(clicks):
    web = clicks("marts.tumble_update", "marts.session_update", SESSIONS)
    merged = CONTRACT.replace("logicalType: integer}", "logicalType: integer, primaryKey: true}").replace(
        "    properties:", "    customProperties: [{property: xdeWriteMode, value: merge}]\n    properties:"
    )
    web.write("sources/web.yaml", merged)
    web.deliver([(1, "a", 0), (2, "a", 4), (3, "a", 8), (4, "b", 30)])
    web.run()
    assert web.tables("marts.session_update")["marts.session_update"][0][:2] == (moment(0), moment(13))
    web.deliver([(2, "a", 50), (4, "b", 31)])
    done = web.run()
    assert [f.code for f in done[SESSIONS].findings] == ["XDE0279"]
    expected = [
        (moment(0), moment(5), "a", 1, 1),
        (moment(8), moment(13), "a", 1, 3),
        (moment(31), moment(36), "b", 1, 4),
        (moment(50), moment(55), "a", 1, 2),
    ]
    tables = web.tables("marts.tumble_update", "marts.session_update", SESSIONS)
    assert tables["marts.session_update"] == tables[SESSIONS] == expected
    assert [(r[0], r[3]) for r in tables["marts.tumble_update"]] == [(moment(0), 2), (moment(30), 1), (moment(50), 1)]


def test_a_dataset_that_is_joined_changes_open_windows_only(clicks):
    web = clicks("marts.tumble_separate")
    web.write(
        "sources/crm.yaml",
        CONTRACT.split("schema:")[0].replace("id: web", "id: crm")
        + """schema:
  - name: people
    physicalName: people-*.csv
    physicalType: file
    customProperties: [{property: xdeWriteMode, value: replace}]
    properties:
      - {name: visitor, logicalType: string}
      - {name: land, logicalType: string}
""",
    )
    sql = "SELECT window_start, window_end, land, count(*) AS n\nFROM tumble(web.clicks, at := at, size := INTERVAL 10 MINUTES)"
    sql += " JOIN crm.people USING (visitor)\nGROUP BY ALL\n"
    web.model("marts.tumble_separate", head("watermark: 7 minutes", "late: separate") + sql)
    web.write("data/people-1.csv", "visitor,land\na,NO\n")
    web.deliver([(1, "a", 0), (2, "a", 22)])
    web.run()
    web.write("data/people-2.csv", "visitor,land\na,SE\n")
    web.run()
    assert web.tables("marts.tumble_separate")["marts.tumble_separate"] == [
        (moment(0), moment(10), "NO", 1),
        (moment(20), moment(30), "SE", 1),
    ]


@pytest.mark.slow
def test_rows_that_wait_are_kept_by_clean_for_as_long_as_they_are_needed(clicks):
    web = clicks(SESSIONS)
    for load in ([(1, "a", 0)], [(2, "a", 4)], [(3, "a", 8)]):
        web.deliver(load)
        web.run()
    kept = {f for facts in web.facts(SESSIONS)[:1] for f in facts["waiting"]}
    with Workspace.open(web.root) as workspace:
        (folder,) = {workspace.house.lake.folder(t) for t in workspace.house.lake.tables() if t.dataset == SESSIONS}
        assert {p.name for p in (web.root / folder / "_letters").iterdir()} > kept
        workspace.clean(keep_hours=0.0)
        assert {p.name for p in (web.root / folder / "_letters").iterdir()} == kept
    web.deliver([(4, "a", 13)])
    web.run()
    assert web.tables(SESSIONS)[SESSIONS] == [(moment(0), moment(18), "a", 4, 10)]


@pytest.mark.slow
def test_files_that_are_only_written_anew_bring_no_rows(clicks):
    web = clicks(SESSIONS, "marts.session_update")
    for load in ([(1, "a", 0)], [(2, "a", 30)]):
        web.deliver(load)
        web.run()
    with Workspace.open(web.root) as workspace:
        workspace.clean(compact=True, keep_hours=0.0)
    web.deliver([(3, "a", 2), (4, "a", 33)])
    web.run()
    tables = web.tables(SESSIONS, "marts.session_update")
    assert tables[SESSIONS] == [(moment(0), moment(5), "a", 1, 1), (moment(30), moment(38), "a", 2, 6)]
    assert tables["marts.session_update"] == [(moment(0), moment(7), "a", 2, 4), (moment(30), moment(38), "a", 2, 6)]


def test_a_model_downstream_is_told_which_windows_changed(clicks):
    web = clicks("marts.tumble_update")
    daily = "SELECT window_start::DATE AS day, sum(clicks) AS clicks FROM marts.tumble_update GROUP BY ALL\n"
    web.model(
        "marts.hourly",
        head("time: window_start", "grain: hour") + "SELECT window_start, sum(clicks) AS clicks FROM marts.tumble_update GROUP BY ALL\n",
    )
    web.model("marts.daily", "\n" + daily)
    web.deliver([(n, "a", n * 60) for n in range(5)])
    web.run()
    web.deliver([(7, "a", 61)])
    done = web.run()
    assert done["marts.hourly"].rows == 1
    assert web.tables("marts.daily")["marts.daily"] == [(moment(0).date(), 6)]


def test_windows_over_a_view_and_over_moments_with_a_zone(clicks):
    web = clicks("marts.tumble_update")
    web.model(
        "staging.moments", head(kind="view") + "SELECT id, \"at\" AT TIME ZONE 'Europe/Berlin' AS moment FROM web.clicks WHERE id > 0\n"
    )
    for name, late in (("update", "update"), ("separate", "separate")):
        sql = "SELECT window_start, window_end, count(*) AS n FROM tumble(staging.moments, at := moment, size := INTERVAL 1 DAY) GROUP BY ALL\n"
        web.model(f"marts.days_{name}", head("watermark: 1 hour", f"late: {late}") + sql)
    web.deliver([(0, "a", 5), (1, "a", 0), (2, "a", 119), (3, "a", 120)])
    web.run()
    web.deliver([(4, "a", 121)])
    web.run()
    tables = web.tables("marts.days_update", "marts.days_separate")
    assert [(r[0].isoformat(), r[2]) for r in tables["marts.days_update"]] == [
        ("2024-04-30T00:00:00+00:00", 2),  # midnight in Berlin is 22:00 in UTC, and windows are counted in UTC
        ("2024-05-01T00:00:00+00:00", 2),
    ]
    assert tables["marts.days_update"] == tables["marts.days_separate"]


@pytest.mark.parametrize(
    ("words", "sql", "code"),
    [
        (("watermark: 1 hour",), "SELECT id AS window_start, id AS window_end FROM web.clicks\n", "XDE0255"),
        (("watermark: 1 hour",), TUMBLE.replace("window_end, ", ""), "XDE0256"),
        (
            ("watermark: 1 hour",),
            f"WITH w AS ({TUMBLE}) SELECT window_start, window_end, lag(n) OVER (ORDER BY window_start) AS n FROM w\n",
            "XDE0256",
        ),
        (("watermark: 1 hour",), TUMBLE.replace("GROUP BY ALL", "GROUP BY ALL ORDER BY n LIMIT 3"), "XDE0256"),
        (("watermark: 1 hour",), TUMBLE.replace("GROUP BY", "WHERE id > (SELECT avg(id) FROM web.clicks) GROUP BY"), "XDE0256"),
        (("watermark: 1 hour",), f"WITH w AS ({TUMBLE}) SELECT w.* FROM w JOIN staging.seen ON visitor <> 'x'\n", "XDE0256"),
        (
            ("watermark: 1 hour",),
            f"WITH w AS ({TUMBLE}) SELECT w.*, row_number() OVER (PARTITION BY window_end ORDER BY n) AS o FROM w\n",
            "",
        ),
        (("watermark: 1 hour",), f"WITH w AS ({TUMBLE}) SELECT * FROM w WHERE n > (SELECT avg(n) FROM w)\n", "XDE0256"),
        (
            ("watermark: 1 hour",),
            f"WITH w AS ({TUMBLE}), most AS (SELECT max(n) AS n FROM w) SELECT w.* FROM w JOIN most USING (n)\n",
            "XDE0256",
        ),
        (("watermark: 1 hour",), TUMBLE.replace("web.clicks", "dedupe(web.clicks, key := id)"), "XDE0257"),
        (("watermark: 1 hour",), TUMBLE.replace("web.clicks", "(SELECT * FROM web.clicks LIMIT 9)"), "XDE0257"),
        (("watermark: 1 hour",), TUMBLE.replace("web.clicks", "(SELECT * FROM web.clicks WHERE visitor <> 'x')"), ""),
        (
            ("watermark: 1 hour",),
            TUMBLE.replace("web.clicks", '(SELECT CAST("at" AS TIME) AS clock FROM web.clicks)').replace("at := at", "at := clock"),
            "XDE0258",
        ),
        (("watermark: 1 hour", "time: window_start"), TUMBLE, "XDE0135"),
        (("watermark: 1 hour", "emit: on_close"), TUMBLE, "XDE0135"),
        (("watermark: soon",), TUMBLE, "XDE0132"),
        (("watermark: 1 hour", "late: never"), TUMBLE, "XDE0132"),
        (("key: window_start", "late: drop"), TUMBLE, "XDE0135"),
    ],
)
def test_what_cannot_be_is_told_before_it_runs(clicks, words, sql, code):
    web = clicks("marts.tumble_update")
    web.model("staging.seen", head(kind="view") + "SELECT DISTINCT visitor FROM web.clicks\n")
    web.model("marts.tumble_update", head(*words) + sql)
    if code:
        assert set(codes(web)) == {code}
        return
    web.deliver([(1, "a", 0)])
    web.run()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ("tumble(web.clicks, at := at, size := INTERVAL 1 MONTH)", "XDE0245"),
        ("tumble(web.clicks, at := at, size := INTERVAL 0 DAYS)", "XDE0245"),
        ("tumble(web.clicks, at := at, size := $size)", "XDE0245"),
        ("slide(web.clicks, at := at, size := INTERVAL 5 MINUTES, every := INTERVAL 6 MINUTES)", "XDE0245"),
        ("slide(web.clicks, at := at, size := INTERVAL 2 DAYS, every := INTERVAL 1 MINUTE)", "XDE0245"),
        ("session(web.clicks, at := at, gap := 30)", "XDE0243"),
    ],
)
def test_a_length_that_is_none_is_told(clicks, call, code):
    web = clicks("marts.tumble_update")
    web.write("xde.yaml", "name: web\nparameters: {size: 10}\n")
    web.model("marts.x", f"SELECT * FROM {call}\n")
    assert codes(web) == [code]


def test_an_offset_and_a_length_of_several_units(clicks):
    web = clicks("marts.tumble_update")
    web.model(
        "marts.weeks",
        "SELECT window_start, window_end FROM tumble(web.clicks, at := at, size := INTERVAL '1 week', offset := INTERVAL 4 DAYS)\n",
    )
    web.model(
        "marts.odd",
        "SELECT date_diff('minute', window_start, window_end) AS long FROM tumble(web.clicks, at := at, size := INTERVAL '1 hour 30 minutes')\n",
    )
    web.deliver([(1, "a", 0)])
    web.run()
    tables = web.tables("marts.weeks", "marts.odd")
    assert tables["marts.weeks"] == [(datetime(2024, 4, 29), datetime(2024, 5, 6))]  # noqa: DTZ001 - a Monday
    assert tables["marts.odd"] == [(90,)]


def test_a_day_of_a_zone_has_as_many_hours_as_its_clock_shows(clicks):
    web = clicks("marts.tumble_update")
    local = "(SELECT *, \"at\" AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin' AS clock FROM web.clicks)"
    sql = f"SELECT window_start, window_end, count(*) AS n FROM tumble({local}, at := clock, size := INTERVAL 1 DAY) GROUP BY ALL\n"
    web.model("marts.days", head("watermark: 1 hour") + sql)
    hours: list[str] = []
    for month, day in ((3, 30), (10, 26)):
        first = datetime(2024, month, day, 12)  # noqa: DTZ001
        hours += [f"{month * 1000 + n},a,{first + timedelta(hours=n)}" for n in range(60)]
    web.deliver([], "\n".join(["id,visitor,at", *hours]) + "\n")
    web.run()
    days = {r[0].date().isoformat(): r[2] for r in web.tables("marts.days")["marts.days"]}
    assert (days["2024-03-31"], days["2024-10-27"], days["2024-10-28"]) == (23, 25, 24)
