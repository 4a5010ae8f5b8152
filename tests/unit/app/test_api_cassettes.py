"""`xde record`, an environment that takes its answers from cassettes, and what the doctor says of an API."""

from __future__ import annotations

import json
import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from click.testing import CliRunner
from projects.apis import Reply, serving
from projects.contracts import head

from xde.app.testing import TestBench
from xde.app.workspace import Workspace
from xde.faces.cli.main import root as xde
from xde.faces.cli.session import Session
from xde.ground.errors import UserError
from xde.ground.secrets import VEIL

CONTRACT = """\
servers:
  - server: shop
    type: api
    location: {url}
    customProperties:
      - property: xdeApi
        value: {{auth: {{kind: bearer, token: "${{env:SHOP_TOKEN}}"}}, limits: {{retries: 0, timeout: 3, connectTimeout: 2}}{api}}}
schema:
  - name: orders
    customProperties:
      - property: xdeRequest
        value: {{records: items, pages: {{kind: page, total: total}}, since: {{parameter: since}}}}
      - {{property: xdeIncrementalCursor, value: {{property: updated_at}}}}
      - {{property: xdeWriteMode, value: merge}}
    properties:
      - {{name: id, logicalType: integer, primaryKey: true, required: true}}
      - {{name: mail, logicalType: string, classification: pii}}
      - {{name: updated_at, logicalType: timestamp, logicalTypeOptions: {{timezone: true}}}}
"""
TOKEN = "tok-0123456789"


@pytest.fixture(autouse=True)
def unveiled(monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", TOKEN)
    yield
    VEIL.clear()


@pytest.fixture
def api():
    with serving() as found:
        yield found


@pytest.fixture
def project(tmp_path, api):
    root = tmp_path / "shop"
    (root / "sources").mkdir(parents=True)
    (root / "xde.yaml").write_text("name: shop\nenvironments:\n  ci: {lake: .xde/ci, ledger: 'sqlite:.xde/ci.sqlite', apis: cassettes}\n")
    (root / "sources/shop.yaml").write_text(head() + CONTRACT.format(url=api.url, api=""))
    shelf = [{"id": n, "mail": f"m{n}@example.org", "updated_at": f"2026-01-0{n}T00:00:00Z"} for n in range(1, 6)]

    def orders(asked):
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply({"error": "who are you?"}, 401)
        found = [r for r in shelf if str(r["updated_at"]) >= asked.query.get("since", "")]
        at = 2 * (int(asked.query["page"]) - 1)
        return {"items": found[at : at + 2], "total": len(found)}

    api.answers["/orders"] = orders
    return root


def call(root, *words):
    done = CliRunner().invoke(xde, ["--project", str(root), *words], obj=Session())
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def rows(root, environment):
    with Workspace.open(root, environment=environment) as workspace:
        return [r["mail"] for r in workspace.show("shop.orders", limit=None).read_all().to_pylist()]


def test_what_was_recorded_stands_in_for_the_api(project, api, monkeypatch):
    done = call(project, "record", "--json")
    (told,) = json.loads(done.stdout)["cassettes"]
    assert (told["dataset"], told["path"], told["requests"], told["records"]) == ("shop.orders", "tests/cassettes/shop/orders", 4, 5)
    texts = "".join(p.read_text() for p in sorted((project / told["path"]).iterdir()))
    assert TOKEN not in texts
    assert "example.org" not in texts
    assert told["bytes"] == len(texts)
    asked = len(api.asked)
    monkeypatch.delenv("SHOP_TOKEN")
    for expected in ("done", "done"):
        with Workspace.open(project, environment="ci") as workspace:
            assert workspace.run().status == expected
    with Workspace.open(project, environment="ci") as workspace:
        assert workspace.plan().steps == ()
        (told,) = [d for d in workspace.doctor() if d.subject == "source shop.orders"]
    assert (told.status, told.detail) == ("ok", "cassette: 4 requests")
    assert len(api.asked) == asked
    assert sorted(rows(project, "ci")) == ["x1@xxxxxxx.xxx", "x2@xxxxxxx.xxx", "x3@xxxxxxx.xxx", "x4@xxxxxxx.xxx", "x5@xxxxxxx.xxx"]


def test_smoke_tests_take_cassettes_where_their_environment_does(project, api):
    call(project, "record", "shop")
    (project / "models/marts").mkdir(parents=True)
    (project / "models/marts/n.sql").write_text("SELECT count(*) AS n FROM shop.orders\n")
    asked = len(api.asked)
    with Workspace.open(project, environment="ci") as workspace:
        smoked = workspace.smoke()
    assert smoked.finished is not None and smoked.finished.status == "done"
    assert smoked.sampled["shop.orders"] == (5, 5)
    assert len(api.asked) == asked


def test_cases_of_a_source_need_no_api(project, api):
    (project / "tests").mkdir()
    case = '{"id": 1, "mail": "a", "updated_at": "2026-01-01T00:00:00Z"}'
    (project / "tests/orders.yaml").write_text(
        "model: shop.orders\ncases:\n  - name: a bad id\n    raw: |\n"
        f'      {case}\n      {{"id": "x"}}\n    expect:\n      rows: [{{id: 1}}]\n      letters: 1\n'
    )
    bench = TestBench.open(project)
    assert not bench.findings, bench.findings
    results = list(bench.run(bench.cases))
    bench.close()
    assert [r.verdict.findings for r in results if not r.passed] == []
    assert api.asked == []


def bench_of(project, text):
    (project / "tests").mkdir(exist_ok=True)
    (project / "tests/orders.yaml").write_text("source: shop.orders\ncases:\n" + text)
    return TestBench.open(project)


def tried(project, text):
    bench = bench_of(project, text)
    assert not bench.findings, bench.findings
    try:
        return [(r.passed, [f.code for f in r.verdict.findings]) for r in bench.run(bench.cases)]
    finally:
        bench.close()


def test_a_case_plays_a_cassette_run_after_run(project, api, monkeypatch):
    call(project, "record", "shop")
    asked = len(api.asked)
    monkeypatch.delenv("SHOP_TOKEN")
    case = """\
  - name: what was recorded
    cassette: tests/cassettes/shop/orders
    runs:
      - expect: {rows: [{id: 1}, {id: 2}, {id: 3}, {id: 4}, {id: 5}], letters: 0}
      - expect: {rows: [{id: 1}, {id: 2}, {id: 3}, {id: 4}, {id: 5}]}
"""
    assert tried(project, case) == [(True, [])]
    assert tried(project, case.replace("{id: 5}", "{id: 6}"))[0][0] is False
    assert len(api.asked) == asked


def test_a_case_plays_a_fault_that_was_written_by_hand(project):
    (project / "tests/bad").mkdir(parents=True)
    (project / "tests/bad/001.http").write_text("GET /orders?page=1\n---\n200\n\n<html>log in</html>")
    case = "  - name: a page to log in\n    cassette: tests/bad\n    expect: {finding: XDE0447}\n"
    assert tried(project, case) == [(True, [])]
    first = bench_of(project, case).cases[0].digest
    (project / "tests/bad/001.http").write_text("GET /orders?page=1\n---\n401\n\nno")
    assert bench_of(project, case).cases[0].digest != first
    assert tried(project, case.replace("XDE0447", "XDE0446")) == [(True, [])]


@pytest.mark.parametrize(
    ("words", "code"),
    [("cassette: tests/none\n    expect: []", "XDE0906"), ("cassette: tests/none\n    raw: x\n    expect: []", "XDE0903")],
)
def test_a_case_whose_cassette_is_not_there(project, words, code):
    bench = bench_of(project, f"  - name: x\n    {words}\n")
    assert bench.findings[0].code == code
    bench.close()


def test_what_cannot_be_recorded(project):
    (project / "sources/files.yaml").write_text(
        head("files") + "servers: [{server: a, type: local, path: data, format: csv}]\n"
        "schema:\n  - name: things\n    properties: [{name: id, logicalType: integer}]\n"
    )
    for word, told in (("shop.order", "there is no API `shop.order`"), ("files.things", "`files.things` is not loaded from an API")):
        with pytest.raises(UserError, match=told) as raised:
            call(project, "record", word)
        assert raised.value.findings[0].code == "XDE0457"


def doctor(root):
    with Workspace.open(root) as workspace:
        (told,) = [d for d in workspace.doctor() if d.subject == "source shop.orders"]
    return told


def test_the_doctor_of_an_api(project, api):
    told = doctor(project)
    assert told.status == "ok", told
    assert told.detail.startswith("127.0.0.1: 127.0.0.1; port ")
    assert "GET /orders?page=1: 200 in" in told.detail
    assert "clock: 0 s apart" in told.detail or "clock: 1 s apart" in told.detail


def test_the_doctor_and_a_wrong_key(project, monkeypatch):
    monkeypatch.setenv("SHOP_TOKEN", "wrong-0123456789")
    told = doctor(project)
    assert told.status == "denied"
    assert 'refuses with 401: {"error": "who are you?"}' in told.detail
    assert "secret" in told.hint


@pytest.mark.parametrize(
    ("reply", "status", "detail"),
    [
        (Reply({"error": "scope"}, 403), "denied", "one may not read it (403)"),
        (Reply("", 404), "missing", "it answers 404"),
        (Reply("", 429, {"Retry-After": "60"}), "missing", "too many requests; again after 60"),
        (Reply({"items": []}, cut=3), "missing", "the answer was cut"),
    ],
)
def test_the_doctor_and_other_answers(project, api, reply, status, detail):
    api.answers["/orders"] = lambda _: reply
    told = doctor(project)
    assert (told.status, detail in told.detail) == (status, True), told


def test_the_doctor_and_a_clock_that_is_wrong(project, api):
    api.date = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    told = doctor(project)
    assert "this machine's is" in told.detail
    assert "s behind the API's" in told.detail


def test_the_doctor_and_a_port_where_nobody_is(project, api):
    text = (project / "sources/shop.yaml").read_text()
    (project / "sources/shop.yaml").write_text(text.replace(api.url, "http://127.0.0.1:1"))
    told = doctor(project)
    assert (told.status, "port 1: connection refused" in told.detail) == ("missing", True), told


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Of an authority of our own, for the loopback interface."""
    folder = tmp_path_factory.mktemp("tls")
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", *name]
    subprocess.run([*command, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_tls(project, api, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    api.server.socket = context.wrap_socket(api.server.socket, server_side=True)
    url = api.url.replace("http:", "https:")
    contract = project / "sources/shop.yaml"
    contract.write_text(head() + CONTRACT.format(url=url, api=""))
    told = doctor(project)
    assert (told.status, "TLS: the certificate is not trusted" in told.detail) == ("missing", True), told
    with Workspace.open(project) as workspace:
        codes = [f.code for o in workspace.run().outcomes for f in o.findings]
    assert codes == ["XDE0445"]
    (project / "ca.pem").write_bytes((certificate / "cert.pem").read_bytes())
    contract.write_text(head() + CONTRACT.format(url=url, api=", caFile: ca.pem"))
    told = doctor(project)
    assert told.status == "ok", told
    assert "TLS: TLSv1.3, trusted until" in told.detail
    with Workspace.open(project) as workspace:
        assert workspace.run().status == "done"


def test_a_proxy_of_the_environment(project, api, monkeypatch):
    """The API is asked by way of it, by its whole address."""
    with serving() as proxy:
        seen = []

        def forward(asked):
            seen.append(asked.path)
            return api.answers["/orders"](asked)

        monkeypatch.setenv("http_proxy", proxy.url.replace("http://", "http://me:pass-word-1@"))
        monkeypatch.setenv("no_proxy", "")
        text = (project / "sources/shop.yaml").read_text()
        (project / "sources/shop.yaml").write_text(text.replace(api.url, "http://api.invalid"))
        proxy.answers["/orders"] = forward
        with Workspace.open(project) as workspace:
            assert workspace.run().status == "done"
        assert seen[0] == "/orders"
        assert proxy.asked[0].headers["host"] == "api.invalid"
        assert proxy.asked[0].headers["proxy-authorization"].startswith("Basic ")
