"""What a contract may say of a stream, and what is said where it cannot be."""

from __future__ import annotations

import pytest
from projects.contracts import source

from xde.app.workspace import Workspace
from xde.ground.errors import UserError

KINDS = {
    "redis": "{server: s, type: custom, host: h, customProperties: [{property: xdeType, value: redis}]}",
    "nats": "{server: s, type: custom, host: h, customProperties: [{property: xdeType, value: nats}]}",
    "mqtt": "{server: s, type: custom, host: h, customProperties: [{property: xdeType, value: mqtt}]}",
    "kafka": "{server: s, type: kafka, host: h}",
}
KEY = "{name: id, logicalType: integer, primaryKey: true}"


def read(tmp_path, server: str, words: str = "", properties: str = KEY):
    (tmp_path / "sources").mkdir()
    (tmp_path / "xde.yaml").write_text("name: plant\n")
    body = f"  - name: readings\n    customProperties: [{words}]\n    properties:\n      - {properties}\n"
    (tmp_path / "sources/plant.yaml").write_text(source(body, server, "plant"))
    with Workspace.open(tmp_path) as workspace:
        return workspace.known.readings["plant.readings"]


def stream(words: str) -> str:
    return f"{{property: xdeStream, value: {{{words}}}}}"


@pytest.mark.parametrize("kind", KINDS)
def test_each_broker_with_nothing_more_said(tmp_path, kind):
    reading = read(tmp_path, KINDS[kind])
    assert (reading.write_mode, reading.dialect.packed, reading.schema_change.new_column) == ("append", True, "quarantine")
    assert (reading.push is not None) is (kind == "mqtt")


def test_all_words_of_a_stream(tmp_path):
    stream_ = read(
        tmp_path, KINDS["kafka"], stream("group: g, begin: latest, onGap: continue, batch: 7, commit: {every: 2 min}")
    ).ask.streamed
    assert (stream_.group, stream_.latest, stream_.passing, stream_.batch, stream_.every) == ("g", True, True, 7, 120.0)


WRONG = {
    "a word of another broker": ("redis", stream("subject: heat"), KEY),
    "a group of NATS": ("nats", stream("group: g"), KEY),
    "a gap of MQTT": ("mqtt", stream("onGap: continue"), KEY),
    "replaced": ("kafka", "{property: xdeWriteMode, value: replace}", KEY),
    "a cursor of what is appended": ("redis", "{property: xdeIncrementalCursor, value: {property: id}}", KEY),
    "told what is not known": ("redis", "", "{name: p, physicalName: $partition, logicalType: integer}"),
    "misspelt": ("kafka", "", "{name: p, physicalName: $ofset, logicalType: integer}"),
    "a moment without a zone": ("nats", "", "{name: t, physicalName: $timestamp, logicalType: timestamp}"),
}


@pytest.mark.parametrize("kind, words, properties", WRONG.values(), ids=WRONG)
def test_what_cannot_be(tmp_path, kind, words, properties):
    with pytest.raises(UserError) as caught:
        read(tmp_path, KINDS[kind], words, properties)
    assert {f.code for f in caught.value.findings} == {"XDE0514"}
    assert all(f.hint and f.span for f in caught.value.findings)


@pytest.mark.parametrize(
    "server",
    [
        "{server: s, type: custom, customProperties: [{property: xdeType, value: redis}]}",
        "{server: s, type: kafka, host: h, format: avro}",
    ],
)
def test_a_server_that_cannot_be(tmp_path, server):
    with pytest.raises(UserError) as caught:
        read(tmp_path, server)
    assert {f.code for f in caught.value.findings} == {"XDE0514"}


def test_a_password_in_the_open(tmp_path):
    with pytest.raises(UserError) as caught:
        read(tmp_path, KINDS["redis"].replace("]}", ", {property: xdePassword, value: hunter2!}]}"))
    assert {f.code for f in caught.value.findings} == {"XDE0481"}


def test_a_change_of_how_it_is_read_is_a_version_only_where_the_rows_change(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    one, two, other = (
        read(tmp_path / n, KINDS["redis"], stream(w)).meaning()
        for n, w in [("a", "payload: body"), ("b", "payload: body, batch: 7"), ("c", "payload: data")]
    )
    assert one == two != other
