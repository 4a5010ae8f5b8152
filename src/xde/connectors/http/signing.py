"""What opens the door of an API, added to each call at the last moment: nobody above sees a call with a secret in it."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from xde.connectors.http.calls import Answer, Call, Fault, with_query, words_of
from xde.ground.clock import SystemClock
from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.secrets import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.connectors.http.calls import Send
    from xde.ground.clock import Clock
    from xde.lifecycle.sources.tables import Ask

EARLY = 30.0  # seconds before its end at which a token is taken for old
LASTS = 300.0  # seconds, where nobody says how long


def said_of_all(settings: Mapping[str, str], part: str) -> tuple[tuple[str, str], ...]:
    """The headers or the query that every request to a server has."""
    return tuple((n.partition(":")[2], v) for n, v in settings.items() if n.startswith(f"{part}:"))


def names_of_all(settings: Mapping[str, str]) -> frozenset[str]:
    """The parameters that every request has: they are no part of what is asked."""
    own = {settings["parameter"]} if settings.get("auth") == "key" and "parameter" in settings else set()
    return frozenset({n for n, _ in said_of_all(settings, "query")} | own)


class Signed:
    """Sends calls with what the server's `auth`, `headers` and `query` say. A token is had when needed, and once more when refused."""

    def __init__(self, send: Send, settings: Mapping[str, str], ask: Ask, clock: Clock | None = None) -> None:
        self._send, self._settings, self._ask = send, settings, ask
        self._clock = clock or SystemClock()
        self._token = ""
        self._old_at = 0.0

    def __call__(self, call: Call) -> Answer:
        """The answer, whatever its status."""
        answer = self._send(self._signed(call))
        if answer.status == 401 and self._settings.get("auth") == "oauth2" and self._token:
            self._token = ""
            answer = self._send(self._signed(call))
        return answer

    def _signed(self, call: Call) -> Call:
        settings = self._settings
        headers = dict(said_of_all(settings, "headers"))
        query = list(said_of_all(settings, "query"))
        match settings.get("auth"):
            case "bearer":
                headers["Authorization"] = f"Bearer {settings['token']}"
            case "basic":
                headers["Authorization"] = _basic(settings["user"], settings["password"])
            case "oauth2":
                headers["Authorization"] = f"Bearer {self._fresh()}"
            case "key" if "header" in settings:
                headers[settings["header"]] = settings["value"]
            case "key":
                query.append((settings["parameter"], settings["value"]))
            case _:
                pass
        for name, value in headers.items():
            if not value.isprintable() or not value.isascii():
                raise UserError(self._not_sent(name))
        url = with_query(call.url, query) if query else call.url
        return replace(call, url=url, headers=(*headers.items(), *call.headers))

    def _not_sent(self, name: str) -> Finding:
        why = "a header holds letters, digits and signs of ASCII, in one line"
        hint = "look at the value that the reference stands for: is it the right one, and in one line?"
        told = f"`{self._ask.dataset}`: what `{name}` is to say cannot stand in a header"
        return Finding("XDE0446", told, self._ask.place.span, "not sent", why, hint)

    def _fresh(self) -> str:
        """A token by client credentials (RFC 6749, 4.4), kept until shortly before its end."""
        if self._token and self._clock.monotonic() < self._old_at:
            return self._token
        answer = self._asked(in_body=False)
        if answer.status in {400, 401}:
            answer = self._asked(in_body=True)  # all servers must take the first way, and not all do
        if answer.status in {408, 425, 429} or answer.status >= 500:
            return self._unanswered(answer)
        try:
            told = json.loads(answer.body)
        except ValueError:
            told = None
        token = told.get("access_token") if isinstance(told, dict) else None
        if answer.status != 200 or not isinstance(token, str) or not token:
            raise UserError(self._refused(answer, told))
        hide(token)
        lasts = told.get("expires_in")
        self._token = token
        self._old_at = self._clock.monotonic() + max(0.0, (float(lasts) if isinstance(lasts, (int, float)) else LASTS) - EARLY)
        return token

    def _asked(self, *, in_body: bool) -> Answer:
        user, password = self._settings["clientId"], self._settings["clientSecret"]
        form = {"grant_type": "client_credentials", **({"scope": self._settings["scope"]} if "scope" in self._settings else {})}
        headers = [("Content-Type", "application/x-www-form-urlencoded")]
        if in_body:
            form |= {"client_id": user, "client_secret": password}
        else:
            headers.append(("Authorization", _basic(quote(user, safe=""), quote(password, safe=""))))  # RFC 6749, 2.3.1
        return self._send(Call("POST", self._settings["tokenUrl"], tuple(headers), urlencode(form).encode()))

    @staticmethod
    def _unanswered(answer: Answer) -> str:
        raise Fault(f"the server of its tokens answers {answer.status}")

    def _refused(self, answer: Answer, told: object) -> Finding:
        """The two members that say what is wrong (RFC 6749, 5.2); another body may hold anything."""
        said = [str(told[n]) for n in ("error", "error_description") if n in told] if isinstance(told, dict) else []
        why = ": ".join(said) or (words_of(answer) if answer.status != 200 else "there is no `access_token` in its answer")
        hint = "look whether `tokenUrl`, `clientId`, `clientSecret` and `scope` of `auth` are right"
        message = f"`{self._ask.dataset}`: no token could be had (status {answer.status})"
        return Finding("XDE0446", message, self._ask.place.span, "refused", why, hint)


def _basic(user: str, password: str) -> str:
    login = b64encode(f"{user}:{password}".encode()).decode()
    hide(login)
    return f"Basic {login}"
