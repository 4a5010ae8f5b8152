"""What goes wrong between a request and its answer: what is tried again, how long is waited, what is told."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from projects.apis import Reply

from xde.connectors.http import retrying
from xde.connectors.http.calls import Answer
from xde.connectors.http.retrying import Throttle, asked_wait
from xde.ground.errors import TemporaryError, UserError
from xde.lifecycle.sources.apis import Manners, Paging

ONE = {"items": [{"id": 1}]}
NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def naps(monkeypatch):
    """Waits are told, and not waited."""
    found = []
    monkeypatch.setattr(retrying, "nap", lambda seconds, _=None: found.append(seconds))
    return found


def in_turn(*replies):
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def manners(ask, **more):
    return replace(ask, request=replace(ask.asked, manners=replace(ask.asked.manners, **more)))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again(api, reader, naps, status):
    api.answers["/orders"] = in_turn(Reply("no", status), Reply("no", status), Reply(ONE))
    assert reader.ids(reader.ask()) == [1]
    assert reader.portion.cost["requests"] == 3
    assert len(naps) == 2
    assert 0 <= naps[0] <= 0.5
    assert 0 <= naps[1] <= 1.0


def test_waits_differ(api, reader, naps):
    api.answers["/orders"] = lambda _: Reply("no", 500)
    with pytest.raises(TemporaryError, match="after 4 tries: it answers 500"):
        reader.read(reader.ask())
    assert len(set(naps)) == len(naps) == 3


def test_what_is_wrong_is_not_tried_again(api, reader, naps):
    api.answers["/orders"] = lambda _: Reply({"error": "unknown kind"}, 400)
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask())
    (found,) = raised.value.findings
    assert (found.code, len(api.asked), naps) == ("XDE0445", 1, [])
    assert "unknown kind" in found.why


def test_retry_after_in_seconds(api, reader, naps):
    api.answers["/orders"] = in_turn(Reply("slow down", 429, {"Retry-After": "7"}), Reply(ONE))
    assert reader.ids(reader.ask()) == [1]
    assert naps == [7.0]


def test_retry_after_as_a_moment_by_the_clock_of_the_server(api, reader, naps):
    api.date = format_datetime(NOW, usegmt=True)
    until = format_datetime(NOW.replace(second=9), usegmt=True)
    api.answers["/orders"] = in_turn(Reply("slow down", 503, {"Retry-After": until}), Reply(ONE))
    assert reader.ids(reader.ask()) == [1]
    assert naps == [9.0]


@pytest.mark.parametrize(
    ("said", "wait"),
    [("0", 0.0), ("12", 12.0), ("Thu, 01 Jan 2026 12:01:00 GMT", 60.0), ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0), ("soon", None), ("", None)],
)
def test_what_a_server_may_say(said, wait):
    assert asked_wait(Answer(429, {"retry-after": said}, b""), NOW) == wait


def test_a_wait_beyond_the_bound_is_left_to_the_next_run(api, reader, naps):
    api.answers["/orders"] = lambda _: Reply("slow down", 429, {"Retry-After": "3600"})
    with pytest.raises(TemporaryError, match="left alone for 3600 seconds") as raised:
        reader.read(reader.ask())
    assert (raised.value.retry_in, naps, len(api.asked)) == (3600.0, [], 1)


@pytest.mark.parametrize("reply", [Reply(ONE, cut=5), Reply(ONE, cut=5, packed=True), Reply(ONE, packed=True, framed=False, cut=5)])
def test_a_cut_in_the_middle_of_a_body(api, reader, naps, reply):
    api.answers["/orders"] = in_turn(reply, Reply(ONE))
    assert reader.ids(reader.ask()) == [1]
    assert len(naps) == 1


def test_a_cut_in_a_later_page_asks_for_that_page_again(api, reader, naps):
    replies = in_turn(Reply({"items": [{"id": 1}], "next": "b"}), Reply({"items": [{"id": 2}]}, cut=3), Reply({"items": [{"id": 2}]}))
    api.answers["/orders"] = replies
    assert reader.ids(reader.ask(Paging("cursor", "after", at=("next",)))) == [1, 2]
    assert api.queries("after") == [(None,), ("b",), ("b",)]


def test_a_slow_server(api, reader, naps):
    api.answers["/orders"] = in_turn(Reply(ONE, drip=0.2), Reply(ONE))
    assert reader.ids(manners(reader.ask(), timeout=0.5)) == [1]
    assert len(naps) == 1


def test_a_server_that_is_not_there(reader, naps):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        reader.url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(TemporaryError, match="onnection refused"):
        reader.read(reader.ask())
    assert len(naps) == 3


def test_a_host_that_nobody_knows(reader, naps):
    reader.url = "http://nowhere.invalid"
    with pytest.raises(TemporaryError, match="the name of its host is not known"):
        reader.read(manners(reader.ask(), retries=0))


def test_an_answer_that_is_too_big(api, reader):
    api.answers["/orders"] = lambda _: Reply({"items": ["x" * 100_000]}, packed=True)
    with pytest.raises(UserError, match="more than 50,000 bytes") as raised:
        reader.read(manners(reader.ask(), response_bytes=50_000))
    assert raised.value.findings[0].code == "XDE0454"


def test_no_more_requests_a_second_than_may_be(api, reader):
    api.answers["/orders"] = lambda a: {"items": [{"id": int(a.query["page"])}] if int(a.query["page"]) < 5 else []}
    began = time.monotonic()
    reader.read(manners(reader.ask(Paging("page", "page")), a_second=20))
    assert time.monotonic() - began >= 4 / 20


def test_all_who_ask_together_share_the_pace():
    waits = []
    throttle = Throttle(10, sleep=waits.append)
    threads = [threading.Thread(target=throttle.wait) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.4 < max(waits) <= 0.5


def test_a_closed_connection_is_opened_again(api, reader):
    def answer(asked):
        number = int(asked.query["page"])
        headers = {"Keep-Alive": "timeout=0"}
        return Reply({"items": [{"id": number}] if number < 4 else []}, headers=headers)

    api.answers["/orders"] = answer
    handler = api.server.RequestHandlerClass
    finish = handler.send

    def send_and_close(self, reply):
        finish(self, reply)
        self.close_connection = True  # without saying so

    handler.send = send_and_close
    assert reader.ids(reader.ask(Paging("page", "page"))) == [1, 2, 3]
    assert reader.portion.cost["requests"] == 4


def test_usual_manners_are_bounded():
    usual = Manners()
    assert usual.retries < 10
    assert usual.timeout <= 60
    assert usual.longest_wait <= 120


def test_whoever_asks_whether_there_is_anything_new_does_not_wait_for_long(api, reader, naps):
    api.answers["/orders"] = lambda _: Reply("slow down", 429, {"Retry-After": "20"})
    with pytest.raises(TemporaryError):
        reader.news(reader.ask(), {"edge": []})
    assert naps == []
    api.answers["/orders"] = lambda _: Reply("no", 500)
    with pytest.raises(TemporaryError, match="after 2 tries"):
        reader.news(reader.ask(), {"edge": []})


def test_redirections_without_an_end(api, reader):
    api.answers["/orders"] = lambda _: Reply("", 302, headers={"Location": "/orders"})
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask())
    (finding,) = raised.value.findings
    assert finding.code == "XDE0445"
    assert "from one address to the next" in finding.message
    assert finding.hint
