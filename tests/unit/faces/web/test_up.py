"""`xde up` as a process, over HTTP: what it answers to whoever may come, and how it ends."""

import gzip
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

pytest.importorskip("uvicorn")

from projects.pushed import DATASET, KEY, Up, landed, make

from xde.app.workspace import Workspace

LIMITS = "limits: {bodyBytes: 100000, records: 100}"


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A server without keys, which lands seldom."""
    root = make(tmp_path_factory.mktemp("up") / "p", f"{{commit: {{every: 1 h}}, {LIMITS}}}")
    with Up(root) as up:
        yield up


def raw(up, content: bytes, wait: float = 10.0) -> bytes:
    """What a connection answers until it is closed or silent."""
    with socket.create_connection(("127.0.0.1", up.port), timeout=wait) as connection:
        connection.sendall(content)
        found = b""
        try:
            while piece := connection.recv(65536):
                found += piece
                if b"\r\n\r\n" in found and b"}" in found:
                    break
        except TimeoutError:
            pass
        return found


def test_records_are_taken_in_and_land_when_it_is_time(tmp_path):
    root = make(tmp_path / "p", "{commit: {every: 0.2 s}}")
    with Up(root) as up:
        status, _, told = up.push({"id": 1, "what": "sale"})
        assert (status, told) == (200, {"accepted": 1, "refused": 0, "records": []})
        assert up.push({"id": 2, "what": "gift"})[2]["records"] == [
            {"record": 1, "code": "XDE0475", "message": "`what` is not one of the contract's values", "column": "what"}
        ]
        end = time.monotonic() + 20
        while time.monotonic() < end and up.ask("GET", "/ready")[2]["waiting"][DATASET]["bytes"]:
            time.sleep(0.05)
        assert landed(root) == [1]
        assert up.push(b'{"id": 3}\n{"id": 4}\n', "application/x-ndjson")[0] == 200
        assert up.stop(signal.SIGINT) == 0
    assert landed(root) == [1, 3, 4]
    assert any("landed" in line and "2 rows" in line for line in up.said), up.said


@pytest.mark.slow
def test_enough_rows_land_before_it_is_time(tmp_path):
    root = make(tmp_path / "p", "{commit: {every: 1 h, rows: 50}}")
    with Up(root) as up:
        assert up.push([{"id": n} for n in range(50)])[0] == 200
        end = time.monotonic() + 20
        while time.monotonic() < end and up.ask("GET", "/ready")[2]["waiting"][DATASET]["bytes"]:
            time.sleep(0.05)
        assert len(landed(root)) == 50


def test_one_and_many_some_of_them_wrong(shop):
    assert shop.push({"id": "x"})[0] == 422
    status, _, told = shop.push([{"id": 1}, {"id": 2, "new": 1}, 5, {}])
    assert status == 207
    assert (told["accepted"], told["refused"]) == (1, 3)
    assert [(r["record"], r["code"]) for r in told["records"]] == [(2, "XDE0472"), (3, "XDE0471"), (4, "XDE0473")]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/health", None, {}, 200),
        ("POST", "/health", b"", {}, 405),
        ("GET", "/", None, {}, 404),
        ("GET", f"/push/{DATASET}", None, {}, 405),
        ("POST", "/push/shop.nothing", b"{}", {"Content_Type": "application/json"}, 404),
        ("POST", "/push/", b"{}", {"Content_Type": "application/json"}, 404),
        ("POST", f"/push/{DATASET}", b"{}", {}, 415),
        ("POST", f"/push/{DATASET}", b"{}", {"Content_Type": "text/plain"}, 415),
        ("POST", f"/push/{DATASET}", b"{}", {"Content_Type": "application/json; charset=latin-1"}, 415),
        ("POST", f"/push/{DATASET}", b"{", {"Content_Type": "application/json; charset=UTF-8"}, 422),
        ("POST", f"/push/{DATASET}", b"[{", {"Content_Type": "application/json"}, 400),
        ("POST", f"/push/{DATASET}", b"\xff\xfe{\x00}", {"Content_Type": "application/json"}, 400),
        ("POST", f"/push/{DATASET}", b"", {"Content_Type": "application/json"}, 400),
        ("POST", f"/push/{DATASET}", b"[" + b"{}," * 100 + b"{}]", {"Content_Type": "application/json"}, 413),
        ("POST", f"/push/{DATASET}", b" " * 100_001, {"Content_Type": "application/json"}, 413),
        ("POST", f"/push/{DATASET}", b"{}", {"Content_Type": "application/json", "Content_Encoding": "br"}, 415),
        ("POST", f"/push/{DATASET}", b"{}", {"Content_Type": "application/json", "Content_Encoding": "gzip"}, 400),
        ("POST", f"/push/{DATASET}", gzip.compress(b" " * 100_001, mtime=0), {"Content_Type": "application/json", "Content_Encoding": "gzip"}, 413),
        ("POST", f"/push/{DATASET}", gzip.compress(b'{"id": 9}', mtime=0)[:-9], {"Content_Type": "application/json", "Content_Encoding": "gzip"}, 400),
        ("POST", f"/push/{DATASET}", b"{}", {"Content_Type": "application/json", "Idempotency_Key": "k" * 300}, 400),
    ],
)  # fmt: skip
def test_what_is_refused(shop, method, path, body, headers, status):
    found, told, answer = shop.ask(method, path, body, **headers)
    assert found == status, answer
    assert told["content-type"] == "application/json"


def test_gzip_and_chunks(shop):
    body = json.dumps([{"id": n} for n in range(100)]).encode()
    assert shop.push(gzip.compress(body), Content_Encoding="gzip")[2]["accepted"] == 100
    pieces = iter([body[n : n + 100] for n in range(0, len(body), 100)])
    assert shop.ask("POST", f"/push/{DATASET}", pieces, Content_Type="application/json")[2]["accepted"] == 100
    endless = (b" " * 1000 for _ in range(200))
    with suppress(BrokenPipeError, ConnectionResetError):  # it may be closed while we are still sending
        assert shop.ask("POST", f"/push/{DATASET}", endless, Content_Type="application/json")[0] == 413
    assert shop.ask("GET", "/health")[0] == 200


def test_a_body_that_is_cut_is_not_taken_in(shop):
    before = shop.ask("GET", "/ready")[2]["waiting"][DATASET]["rows"]
    head = f"POST /push/{DATASET} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 40\r\n\r\n"
    with socket.create_connection(("127.0.0.1", shop.port)) as connection:
        connection.sendall(head.encode() + b'{"id": 1}\n')
    assert b"400" in raw(shop, b"NONSENSE\r\n\r\n").split(b"\r\n")[0]
    assert shop.ask("GET", "/ready")[2]["waiting"][DATASET]["rows"] == before


def test_an_answer_is_given_again(shop):
    first = shop.push({"id": 77}, Idempotency_Key="order-77")
    again = shop.push({"id": 77}, Idempotency_Key="order-77")
    assert (first[0], first[2]) == (again[0], again[2])
    assert (first[1].get("idempotency-replayed"), again[1].get("idempotency-replayed")) == (None, "true")
    assert shop.push({"id": 78}, Idempotency_Key="order-77")[2]["error"]["code"] == "XDE0477"


def test_many_at_once_with_one_key_are_taken_once(shop):
    before = shop.ask("GET", "/ready")[2]["waiting"][DATASET]["rows"]
    found = []
    threads = [threading.Thread(target=lambda: found.append(shop.push({"id": 5}, Idempotency_Key="same")[0])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [200] * 20
    assert shop.ask("GET", "/ready")[2]["waiting"][DATASET]["rows"] == before + 1


@pytest.mark.slow
def test_a_thousand_connections(shop):
    connections = [http.client.HTTPConnection("127.0.0.1", shop.port, timeout=60) for _ in range(1000)]
    for connection in connections:
        connection.connect()
    for number, connection in enumerate(connections):
        connection.request("POST", f"/push/{DATASET}", json.dumps({"id": number}), {"Content-Type": "application/json"})
    answers = [c.getresponse() for c in connections]
    assert [(a.status, json.loads(a.read())["accepted"]) for a in answers] == [(200, 1)] * 1000
    for connection in connections:
        connection.close()


@pytest.mark.slow
def test_a_client_that_is_too_slow_does_not_keep_others_waiting(shop):
    head = f"POST /push/{DATASET} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", shop.port), timeout=40) for _ in range(50)]
    for connection in slow:
        connection.sendall(head.encode() + b"{")
    begun = time.monotonic()
    assert shop.push({"id": 6})[0] == 200
    assert time.monotonic() - begun < 5
    assert b" 408 " in slow[0].recv(65536)
    for connection in slow:
        connection.close()


@pytest.mark.slow
def test_keys(tmp_path):
    root = make(tmp_path / "p", "{keys: [{name: shop, secret: '${env:SHOP_KEY}'}, {name: next, secret: '${env:NEXT_KEY}'}]}")
    other = KEY[::-1]
    with Up(root, env={"SHOP_KEY": KEY, "NEXT_KEY": other}) as up:
        for given, status in ((KEY, 200), (other, 200), ("", 401), (KEY[:-1], 401), (KEY + "x", 401), ("clé", 401)):
            headers = {"Authorization": f"Bearer {given}".encode("latin-1")} if given else {}
            found, told, _ = up.push({"id": 1}, **headers)
            assert found == status
            assert status == 200 or told["www-authenticate"].startswith("Bearer")
        assert up.push({"id": 1}, dataset="shop.nothing")[0] == 401
        assert up.push({"id": 1}, dataset="shop.nothing", Authorization=f"Bearer {KEY}")[0] == 404
        assert up.ask("GET", "/ready")[2]["waiting"] == {}
        up.stop()
    assert landed(root) == [1, 1]
    kept = [p for p in root.rglob("*") if p.is_file()]
    assert not [p for p in kept if KEY.encode() in p.read_bytes()]
    assert KEY not in "".join(up.said)


@pytest.mark.slow
def test_elsewhere_than_here_it_wants_keys(tmp_path):
    root = make(tmp_path / "p", "{}")
    command = [sys.executable, "-m", "xde.faces.cli.main", "--project", str(root), "up", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "XDE0467" in done.stderr) == (1, True)


@pytest.mark.slow
def test_too_much_waits(tmp_path):
    """Nothing lands, for a rule stops it: then it is 429 when the spool is full, and all that was taken in lands when the rule is gone."""
    root = make(tmp_path / "p", "{commit: {every: 0.1 s}, limits: {spoolBytes: 20000}}")
    contract = root / "sources" / "shop.yaml"
    text = contract.read_text()
    rule = "    customProperties: [{property: xdeDeadLetter, value: {mode: stop}}]\n"
    contract.write_text(text.replace("  - name: events\n", "  - name: events\n" + rule))
    with Up(root) as up:
        assert up.push({"id": 0, "amount": -1})[0] == 200
        taken = 0
        for number in range(1, 1000):
            status, headers, told = up.push([{"id": number * 100 + n} for n in range(50)])
            if status != 200:
                break
            taken += 50
        assert status == 429
        assert int(headers["retry-after"]) >= 1
        assert told["error"]["code"] == "XDE0478" or "waits" in told["error"]["message"]
        end = time.monotonic() + 20
        while time.monotonic() < end and "landing" not in up.ask("GET", "/ready")[2]:
            time.sleep(0.05)
        status, _, told = up.ask("GET", "/ready")
        assert (status, told["landing"]) == (503, "failing")
        assert up.ask("GET", "/health")[0] == 200
        up.stop()
    contract.write_text(text)
    with Workspace.open(root) as workspace:
        workspace.run()
    assert len(landed(root)) == taken


@pytest.mark.slow
def test_a_disk_without_room(tmp_path):
    """A limit on the size of files stands for a full disk: what was answered for is there, what was not is not."""
    root = make(tmp_path / "p", "{commit: {every: 1 h}}")
    body = [{"id": n, "what": "sale"} for n in range(1000)]
    taken, said = 0, set()
    with Up(root, limits="ulimit -f 400") as up:
        for _ in range(40):
            status, _, told = up.push(body)
            said.add(status)
            taken += told["accepted"]
        assert said == {200, 507}, up.said
        up.kill()
    with Up(root) as up:
        assert up.push({"id": 5000})[0] == 200
        up.stop()
    assert len(landed(root)) == taken + 1


@pytest.mark.slow
def test_somebody_elses_run_is_waited_for(tmp_path):
    root = make(tmp_path / "p", "{commit: {every: 0.1 s}}")
    with Workspace.open(root) as workspace:
        ledger, clock = workspace.house.ledger, workspace.house.clock
        from xde.kernel.run.owners import this_owner

        claim = ledger.claim(workspace.house.environment, str(this_owner()), "theirs", now=clock.now().isoformat(), seconds=60)
        with Up(root) as up:
            assert up.push({"id": 1})[0] == 200
            end = time.monotonic() + 20
            while time.monotonic() < end and not any("waiting for run `theirs`" in line for line in up.said):
                time.sleep(0.05)
            assert up.push({"id": 2})[0] == 200  # it takes in all the while
            ledger.release(claim)
            up.stop()
    assert any("waiting for run `theirs`" in line for line in up.said)
    assert landed(root) == [1, 2]
