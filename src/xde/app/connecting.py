"""Which connector reads which database, opened with the secrets that its contract refers to."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.secrets import hide, hide_password, sounds_secret
from xde.ground.underway import Running
from xde.kernel.project.secret_references import references
from xde.lifecycle.sources.apis import SECRETS
from xde.lifecycle.sources.draining import Drained
from xde.lifecycle.sources.pace import within_hours
from xde.lifecycle.sources.reaching import is_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from xde.app.revealing import Revealing
    from xde.connectors.http.retrying import Throttle
    from xde.connectors.http.sharing import Sharing
    from xde.connectors.http.sources import ApiRecords
    from xde.ground.clock import Clock
    from xde.lifecycle.sources.brokers import Broker
    from xde.lifecycle.sources.devices import Devices, Subscription
    from xde.lifecycle.sources.port import FileStore
    from xde.lifecycle.sources.tables import Ask, Place, TableSource


@dataclass(slots=True)
class Apis:
    """How APIs are asked: themselves or, where `recorded`, their cassettes. What is shared lives as long as this."""

    folder: Path
    recorded: bool = False
    throttles: dict[tuple[str, float | None], Throttle] = field(default_factory=dict)
    running: Running = field(default_factory=Running)
    _sharing: Sharing | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def sharing(self) -> Sharing:
        """What those who ask together share."""
        with self._lock:
            if self._sharing is None:
                from xde.connectors.http.sharing import Sharing

                self._sharing = Sharing(self.folder, self.throttles)
            return self._sharing


def opened_to_load(revealed: Revealing, root: Path, clock: Clock, ask: Ask, apis: Apis) -> TableSource:
    """The connector of a database that is to be read now, unless its contract forbids that."""
    if not within_hours(ask.limits.hours, clock.now()):
        raise UserError(replace(not_now(ask), severity=Severity.ERROR))
    return opened(revealed, root, ask, apis)


def opened(revealed: Revealing, root: Path, ask: Ask, apis: Apis) -> TableSource:
    """The connector of a database, or of an API. Raises `UserError` where what it needs is not there."""
    if ask.request is not None:
        return opened_api(revealed, root, ask, apis)
    if ask.extract is not None:
        return opened_extract(revealed, root, ask, apis.running)
    settings = _looked_up(revealed, ask.place, root if ask.stream else None)
    match ask.place.kind:
        case "sqlite":
            from xde.connectors.sqlite.sources import SqliteTables

            return SqliteTables(settings, root)
        case "duckdb":
            from xde.connectors.duckdb.sources import DuckdbTables

            return DuckdbTables(settings, root)
        case "postgres":
            with _extra(ask.place, "PostgreSQL", "postgres"):
                from xde.connectors.postgres.capture.reading import PostgresCapture
                from xde.connectors.postgres.sources import PostgresTables
            return PostgresTables(settings, apis.running) if ask.capture is None else PostgresCapture(settings)
        case "mysql" | "sqlalchemy":
            with _extra(ask.place, "MySQL" if ask.place.kind == "mysql" else "databases by SQLAlchemy", ask.place.kind):
                from xde.connectors.sqlalchemy.sources import SqlAlchemyTables
            return SqlAlchemyTables(settings)
        case "redis" | "nats" | "kafka":
            return Drained(_opened_broker(settings, ask.place))
        case _:
            from xde.app.strangers import Stranger

            return Stranger(ask, settings, root)


def _opened_broker(settings: Mapping[str, str], place: Place) -> Broker:
    """The connector of a broker."""
    match place.kind:
        case "redis":
            with _extra(place, "streams of Redis", "redis"):
                from xde.connectors.redis.streams import RedisStreams
            return RedisStreams(settings)
        case "nats":
            with _extra(place, "streams of NATS", "nats"):
                from xde.connectors.nats.streams import NatsStreams
            return NatsStreams(settings)
        case _:
            with _extra(place, "topics of Kafka", "kafka"):
                from xde.connectors.kafka.streams import KafkaStreams
            return KafkaStreams(settings)


def opened_extract(revealed: Revealing, root: Path, ask: Ask, running: Running) -> TableSource:
    """The connector of a source of dlt; what its arguments refer to is looked up and hidden."""
    hidden: dict[str, None] = {}

    def value(written: object) -> object:
        if isinstance(written, dict):
            return {n: value(v) for n, v in written.items()}
        if isinstance(written, list):
            return [value(v) for v in written]
        if isinstance(written, str) and (named := references(written)):
            hidden.update(dict.fromkeys(revealed.secret(r).reveal() for r in named))
            return revealed.address(written) if "://" in written else revealed.text(written)
        return written

    with _extra(ask.place, "sources of dlt", "dlt"):
        from xde.connectors.dlt.sources import DltResources

        arguments = json.dumps(value(json.loads(ask.place.settings["arguments"])))
        return DltResources({**ask.place.settings, "arguments": arguments}, tuple(hidden), root, running)


def opened_devices(revealed: Revealing, root: Path, of: Subscription, session: tuple[str, Path]) -> Devices:
    """The connector of what is listened to, by the name of its session and the folder that it is remembered in."""
    settings = _looked_up(revealed, of.place, root)
    with _extra(of.place, "topics of MQTT", "mqtt"):
        from xde.connectors.mqtt.subscribing import MqttDevices
    return MqttDevices(settings, of, *session)


def opened_store(revealed: Revealing, place: Place) -> FileStore:
    """A store of objects. Raises `UserError` where what it needs is not there."""
    settings = _looked_up(revealed, place)
    if place.kind == "files":
        with _extra(place, f"`{settings.get('location', '').partition('://')[0]}`", "files"):
            from xde.connectors.objects.any_store import AnyFiles
        return AnyFiles(settings, place.span)
    with _extra(place, "objects of S3", "s3"):
        from xde.connectors.objects.s3 import S3Files
    return S3Files(settings, place.span)


def _looked_up(revealed: Revealing, place: Place, root: Path | None = None) -> dict[str, str]:
    """The settings of a server with what their references stand for; what nobody may see of it is hidden from here on.

    With a `root`, the file of an authority is one of the project's. Raises `UserError` where a setting cannot be.
    """
    from xde.lifecycle.ingestion.declare_tables import OURS  # deferred: it brings the reader of contracts, and a plan needs none

    known = place.kind in OURS | {"s3"}
    found = {name: revealed.text(written) for name, written in place.settings.items()}
    for name, value in found.items():
        looked_up = bool(references(place.settings[name]))
        if sounds_secret(name) or name in SECRETS or (looked_up and (":" in name or not known)):
            hide(value)  # which words of a connector of others, or of fsspec, are secrets, they alone know
        hide_password(value)
    for port in _ports(place.kind, found):
        if not is_port(port):
            why, hint = "a port is a number from 1 to 65535", "mend `port`, or what the reference in its place stands for"
            raise UserError(Finding("XDE0480", f"`{port}` is no port", place.span, "the server", why, hint))
    if root is not None and "caFile" in found:
        found["caFile"] = str(file := (root / found["caFile"]).resolve())
        if not file.is_file():
            hint = "`xdeCaFile` is a path from the folder of the project"
            told = f"there is no file `{place.settings['caFile']}`"
            raise UserError(Finding("XDE0480", told, place.span, "no such file", "the server's certificate is held against it", hint))
    return found


def _ports(kind: str, settings: dict[str, str]) -> list[str]:
    """The ports that a server says; Kafka's are those of its hosts."""
    hosts = settings.get("host", "").split(",") if kind == "kafka" else []
    return [h.strip().rpartition(":")[2] for h in hosts if ":" in h] + [settings[n] for n in ("port",) if n in settings]


@contextmanager
def _extra(place: Place, what: str, extra: str) -> Iterator[None]:
    """What comes with an extra is imported."""
    try:
        yield
    except ModuleNotFoundError as error:
        why = f"the package `{error.name}` is not installed"
        hint = f"run `pip install 'xde[{extra}]'`"
        raise UserError(Finding("XDE0480", f"reading {what} needs a package more", place.span, "", why, hint)) from None


def opened_api(revealed: Revealing, root: Path, ask: Ask, apis: Apis) -> ApiRecords:
    """The connector of an API: what its references stand for is looked up where it is asked itself, and hidden."""
    from xde.connectors.http.sources import ApiRecords, live, recorded

    if apis.recorded:
        return ApiRecords(ask, recorded(ask, root), apis.sharing)
    settings = _looked_up(revealed, ask.place)
    return ApiRecords(ask, live(ask, settings, root, apis.sharing), apis.sharing)


def not_now(ask: Ask) -> Finding:
    """What is told of a source that may not be read at this time of the day."""
    told = f"`{ask.dataset}` is not loaded now: it may be read {ask.limits.hours} (UTC)"
    return Finding("XDE0486", told, ask.span, "", "", "run again then, or widen `hours` of its `xdeLimits`", Severity.WARNING)
