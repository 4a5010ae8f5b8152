"""How doors are opened, and that nobody sees the key."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest
from projects.apis import Reply

from xde.connectors.http import retrying
from xde.ground.errors import TemporaryError, UserError
from xde.ground.secrets import VEIL, hide, redact
from xde.lifecycle.sources.apis import Paging

TOKEN = "tok-0123456789"
ONE = {"items": [{"id": 1}]}


@pytest.fixture(autouse=True)
def unveiled():
    yield
    VEIL.clear()


def guarded(is_open):
    return lambda asked: ONE if is_open(asked) else Reply({"error": f"who are you? {asked.headers} {asked.query}"}, 401)


DOORS = [
    ({"auth": "bearer", "token": TOKEN}, lambda a: a.headers.get("authorization") == f"Bearer {TOKEN}"),
    (
        {"auth": "basic", "user": "ada", "password": "pä:" + TOKEN},
        lambda a: b64decode(a.headers.get("authorization", " ").split()[1]).decode() == "ada:pä:" + TOKEN,
    ),
    ({"auth": "key", "header": "X-Api-Key", "value": TOKEN}, lambda a: a.headers.get("x-api-key") == TOKEN),
    ({"auth": "key", "parameter": "api_key", "value": "a&b=" + TOKEN}, lambda a: a.query.get("api_key") == "a&b=" + TOKEN),
    ({"headers:X-Tenant": "t1", "query:version": "7"}, lambda a: (a.headers.get("x-tenant"), a.query.get("version")) == ("t1", "7")),
]


@pytest.mark.parametrize(("settings", "is_open"), DOORS)
def test_each_door(api, reader, settings, is_open):
    api.answers["/orders"] = guarded(is_open)
    assert reader.ids(reader.ask(settings=settings)) == [1]


@pytest.mark.parametrize(("settings", "is_open"), DOORS[:4])
def test_a_wrong_key_is_told_and_not_shown(api, reader, settings, is_open):
    for value in settings.values():
        if TOKEN in value:
            hide(value)
    api.answers["/orders"] = guarded(lambda _: False)
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask(settings=settings))
    (found,) = raised.value.findings
    assert found.code == "XDE0446"
    shown = f"{found.message} {found.why} {found.hint}"
    assert TOKEN not in shown
    assert redact(shown) == shown


def test_a_right_that_is_missing(api, reader):
    api.answers["/orders"] = lambda _: Reply({"error": "scope orders:read needed"}, 403)
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask())
    (found,) = raised.value.findings
    assert (found.code, "scope orders:read" in found.why) == ("XDE0446", True)
    assert "right" in found.hint


def test_a_key_in_links_is_put_in_anew(api, reader):
    def answer(asked):
        assert asked.query["api_key"] == TOKEN
        more = "/orders?after=2&api_key=old" if "after" not in asked.query else None
        return {"items": [{"id": len(api.asked)}], "next": more}

    api.answers["/orders"] = answer
    settings = {"auth": "key", "parameter": "api_key", "value": TOKEN}
    assert reader.ids(reader.ask(Paging("next", at=("next",)), settings=settings)) == [1, 2]


class Tokens:
    """A server of tokens; each lasts for some requests."""

    def __init__(self, api, lasts=1000, in_body=False):
        self.api, self.given, self.left, self.lasts, self.in_body = api, 0, 0, lasts, in_body
        api.answers["/token"] = self.token
        api.answers["/orders"] = self.orders

    def token(self, asked):
        login = b64encode(b"me:s%26cret-0123").decode()
        form = dict(p.split("=") for p in asked.body.decode().split("&"))
        known = form.get("client_secret") == "s%26cret-0123" if self.in_body else asked.headers.get("authorization") == f"Basic {login}"
        if not known or form["grant_type"] != "client_credentials":
            return Reply({"error": "invalid_client", "error_description": "no such client"}, 401)
        self.given, self.left = self.given + 1, self.lasts
        return {"access_token": f"{TOKEN}-{self.given}", "token_type": "bearer", "expires_in": 3600}

    def orders(self, asked):
        if asked.headers.get("authorization") != f"Bearer {TOKEN}-{self.given}" or self.left <= 0:
            return Reply({"error": "token expired"}, 401)
        self.left -= 1
        number = int(asked.query["page"])
        return {"items": [{"id": number}] if number < 4 else []}

    def settings(self, **more):
        return {
            "auth": "oauth2",
            "tokenUrl": f"{self.api.url}/token",
            "clientId": "me",
            "clientSecret": "s&cret-0123",
            "scope": "a b",
            **more,
        }


@pytest.mark.parametrize("in_body", [False, True])
def test_client_credentials(api, reader, in_body):
    tokens = Tokens(api, in_body=in_body)
    assert reader.ids(reader.ask(Paging("page", "page"), settings=tokens.settings())) == [1, 2, 3]
    assert tokens.given == 1
    assert b"scope=a+b" in api.asked[0].body


def test_a_token_that_ends_early_is_had_anew(api, reader):
    tokens = Tokens(api, lasts=2)
    assert reader.ids(reader.ask(Paging("page", "page"), settings=tokens.settings())) == [1, 2, 3]
    assert tokens.given == 2


def test_no_token(api, reader):
    tokens = Tokens(api)
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask(Paging("page", "page"), settings=tokens.settings(clientSecret="wrong")))
    (found,) = raised.value.findings
    assert (found.code, found.why) == ("XDE0446", "invalid_client: no such client")


def test_a_server_of_tokens_that_is_away(api, reader, monkeypatch):
    monkeypatch.setattr(retrying, "nap", lambda *_: None)
    tokens = Tokens(api)
    api.answers["/token"] = lambda _: Reply("no", 503)
    ask = reader.ask(Paging("page", "page"), settings=tokens.settings())
    with pytest.raises(TemporaryError, match="the server of its tokens answers 503"):
        reader.read(ask)


@pytest.mark.parametrize("token", ["line\nend-0123", "ключ-0123456"])
def test_a_key_that_cannot_be_sent(api, reader, token):
    with pytest.raises(UserError) as raised:
        reader.read(reader.ask(settings={"auth": "bearer", "token": token}))
    (found,) = raised.value.findings
    assert found.code == "XDE0446"
    assert token not in f"{found.message} {found.why} {found.hint}"
    assert api.asked == []
