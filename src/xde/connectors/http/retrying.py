"""Patience with an API: not more requests a second than it bears, waits as long as it says, another try where that helps, up to a bound."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from xde.connectors.http.calls import Answer, Call, Fault, led_to, words_of
from xde.connectors.http.client import NotTrusted, TooBig
from xde.ground.clock import SystemClock
from xde.ground.errors import TemporaryError, UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from xde.connectors.http.calls import Send
    from xde.ground.clock import Clock
    from xde.lifecycle.sources.tables import Ask

AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
MOVED = frozenset({301, 302, 303, 307, 308})
REDIRECTIONS = 5
FIRST_WAIT = 0.5  # seconds: the most before the second try; twice that before the third (full jitter, "Exponential Backoff And Jitter")
LONGEST_BACKOFF = 30.0
HASTE = 5.0  # seconds
PIECE = 1.0  # seconds: a wait is made of such pieces, so that one that is interrupted ends soon


class Throttle:
    """Lets so many requests a second pass, of all who ask together; without a number, all."""

    def __init__(self, a_second: float | None, clock: Clock | None = None, sleep: Callable[[float], None] = time.sleep) -> None:
        self._between = 1.0 / a_second if a_second else 0.0
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Come back when the next request may be sent."""
        if not self._between:
            return
        with self._lock:
            now = self._clock.monotonic()
            mine = max(now, self._next)
            self._next = mine + self._between
        nap(mine - now, self._sleep)


def nap(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Sleep, in pieces."""
    while seconds > 0:
        sleep(min(seconds, PIECE))
        seconds -= PIECE


class Patient:
    """Sends a call until there is an answer to be used. Raises `UserError` for what no patience mends, `TemporaryError` past the bound."""

    def __init__(
        self, send: Send, ask: Ask, throttle: Throttle, clock: Clock | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._send, self._ask, self._throttle, self._sleep = send, ask, throttle, sleep
        self._manners = ask.asked.manners
        self._clock = clock or SystemClock()
        self.requests = 0

    def hasty(self) -> Patient:
        """The same for a question that somebody waits for: one try more, and no long wait."""
        manners = replace(self._manners, retries=min(1, self._manners.retries), longest_wait=min(HASTE, self._manners.longest_wait))
        ask = replace(self._ask, request=replace(self._ask.asked, manners=manners))
        return Patient(self._send, ask, self._throttle, self._clock, self._sleep)

    def __call__(self, call: Call) -> Answer:
        """The answer, with a status of success."""
        answer = self._answered(call)
        for _ in range(REDIRECTIONS):
            if answer.status not in MOVED or call.method != "GET" or "location" not in answer.headers:
                break
            call = led_to(self._ask, call, answer.headers["location"])
            answer = self._answered(call)
        else:
            if answer.status in MOVED and call.method == "GET" and "location" in answer.headers:
                raise UserError(_circle(self._ask, call, answer))
        return accepted(self._ask, call, answer)

    def _answered(self, call: Call) -> Answer:
        told = ""
        tries = self._manners.retries + 1
        for n in range(tries):
            self._throttle.wait()
            self.requests += 1
            wait = random.uniform(0, min(LONGEST_BACKOFF, FIRST_WAIT * 2**n))  # noqa: S311 - a jitter is no secret
            try:
                answer = self._send(call)
            except Fault as error:
                told = str(error)
            except (TooBig, NotTrusted) as error:
                raise UserError(self._never(call, error)) from error
            else:
                if answer.status not in AGAIN:
                    return answer
                told = f"it answers {answer.status}"
                asked = asked_wait(answer, self._clock.now())
                if asked is not None and asked > self._manners.longest_wait:
                    told += f", and wants to be left alone for {asked:.0f} seconds"
                    raise TemporaryError(f"`{self._ask.dataset}`: `{call.shown}` has no answer: {told}", retry_in=asked)
                wait = wait if asked is None else asked
            if n < self._manners.retries:
                nap(wait, self._sleep)
        raise TemporaryError(f"`{self._ask.dataset}`: `{call.shown}` has no answer{f' after {tries} tries' if tries > 1 else ''}: {told}")

    def _never(self, call: Call, error: Exception) -> Finding:
        ask = self._ask
        if isinstance(error, TooBig):
            told = f"`{ask.dataset}`: the answer to `{call.shown}` has more than {self._manners.response_bytes:,} bytes"
            hint = "ask for smaller pages (`size`), or raise `responseBytes` in `limits` of `xdeApi`"
            return Finding("XDE0454", told, ask.span, "too big", hint=hint)
        hint = "if its certificate is signed by an authority of your own, name the file of that in `caFile` of `xdeApi`"
        return Finding("XDE0445", f"`{ask.dataset}`: the server's certificate is not trusted", ask.place.span, "TLS", str(error), hint)


def _circle(ask: Ask, call: Call, answer: Answer) -> Finding:
    """An answer that leads on and on."""
    told = f"`{ask.dataset}`: the API leads from one address to the next, {REDIRECTIONS} times and more"
    hint = "look at it with `curl -L`, and write the address where it ends into `location` and `physicalName`; or it wants a login"
    return Finding("XDE0445", told, ask.span, f"{answer.status}", f"the last was `{call.shown}`", hint)


def accepted(ask: Ask, call: Call, answer: Answer) -> Answer:
    """An answer with a status of success. Raises `UserError`, or `TemporaryError`, for another."""
    if 200 <= answer.status < 300 or answer.status == 0:
        return answer
    if answer.status in AGAIN:
        raise TemporaryError(f"`{ask.dataset}`: `{call.shown}` has no answer: it answers {answer.status}")
    raise UserError(refused(ask, call, answer))


def asked_wait(answer: Answer, now: datetime) -> float | None:
    """How long a server wants to be left alone (`Retry-After`, RFC 9110, 10.2.3): seconds, or a moment, by its own clock if it can."""
    said = answer.headers.get("retry-after", "").strip()
    if said.isdigit():
        return float(said)
    until, here = moment(said), moment(answer.headers.get("date", ""))
    return max(0.0, (until - (here or now)).total_seconds()) if until is not None else None


def moment(said: str) -> datetime | None:
    """A date as HTTP writes it."""
    try:
        found = parsedate_to_datetime(said)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def refused(ask: Ask, call: Call, answer: Answer) -> Finding:
    """What is told of a status that another try would not change."""
    why = words_of(answer)
    if answer.status in {401, 403}:
        told = f"`{ask.dataset}`: the API refuses `{call.shown}` with {answer.status}"
        hint = "look whether `auth` of `xdeApi` is what it wants, and the secret the right one"
        if answer.status == 403:
            hint = "the key is known, but may not read this: ask the API's owner for the right"
        return Finding("XDE0446", told, ask.span, "refused", why, hint)
    told = f"`{ask.dataset}`: the API answers {answer.status} to `{call.shown}`"
    hint = "mend `physicalName` (the path) or the query in the contract" if answer.status in {400, 404, 405, 410, 414, 422} else ""
    return Finding("XDE0445", told, ask.span, f"{answer.status}", why, hint)
