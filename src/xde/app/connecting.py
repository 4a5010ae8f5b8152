"""Which connector reads which database, opened with the secrets that its contract refers to."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from xde.ground.errors import UserError
from xde.ground.findings import Finding, Severity
from xde.ground.secrets import hide
from xde.kernel.project.secret_references import references
from xde.lifecycle.sources.apis import SECRETS
from xde.lifecycle.sources.draining import Drained
from xde.lifecycle.sources.pace import within_hours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xde.app.revealing import Revealing
    from xde.connectors.http.retrying import Throttle
    from xde.connectors.http.sharing import Sharing
    from xde.connectors.http.sources import ApiRecords
    from xde.ground.clock import Clock
    from xde.lifecycle.sources.devices import Devices, Subscription
    from xde.lifecycle.sources.port import FileStore
    from xde.lifecycle.sources.tables import Ask, Place, TableSource


@dataclass(slots=True)
class Apis:
    """How APIs are asked: themselves or, where `recorded`, their cassettes. What is shared lives as long as this."""

    folder: Path
    recorded: bool = False
    throttles: dict[tuple[str, float | None], Throttle] = field(default_factory=dict)
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
    settings = {n: revealed.text(v) for n, v in ask.seen_from(root).place.settings.items()} if ask.stream else {}
    settings = settings or {n: revealed.text(v) for n, v in ask.place.settings.items()}
    if settings.get("password"):
        hide(settings["password"])
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
            return PostgresTables(settings) if ask.capture is None else PostgresCapture(settings)
        case "mysql" | "sqlalchemy":
            with _extra(ask.place, "MySQL" if ask.place.kind == "mysql" else "databases by SQLAlchemy", ask.place.kind):
                from xde.connectors.sqlalchemy.sources import SqlAlchemyTables
            return SqlAlchemyTables(settings)
        case "redis":
            with _extra(ask.place, "streams of Redis", "redis"):
                from xde.connectors.redis.streams import RedisStreams
            return Drained(RedisStreams(settings))
        case "nats":
            with _extra(ask.place, "streams of NATS", "nats"):
                from xde.connectors.nats.streams import NatsStreams
            return Drained(NatsStreams(settings))
        case "kafka":
            with _extra(ask.place, "topics of Kafka", "kafka"):
                from xde.connectors.kafka.streams import KafkaStreams
            return Drained(KafkaStreams(settings))
        case _:
            from xde.app.strangers import Stranger

            return Stranger(ask, settings, root)


def opened_devices(revealed: Revealing, root: Path, of: Subscription, session: tuple[str, Path]) -> Devices:
    """The connector of what is listened to, by the name of its session and the folder that it is remembered in."""
    settings = {n: revealed.text(v) for n, v in of.place.settings.items()}
    if settings.get("password"):
        hide(settings["password"])
    if "caFile" in settings:
        settings["caFile"] = str((root / settings["caFile"]).resolve())
    with _extra(of.place, "topics of MQTT", "mqtt"):
        from xde.connectors.mqtt.subscribing import MqttDevices
    return MqttDevices(settings, of, *session)


def opened_store(revealed: Revealing, place: Place) -> FileStore:
    """A store of objects. Raises `UserError` where what it needs is not there."""
    settings = {n: revealed.text(v) for n, v in place.settings.items()}
    if settings.get("secretKey"):
        hide(settings["secretKey"])
    for name, value in settings.items():
        if name == "password" or (name.startswith("option:") and references(place.settings[name])):
            hide(value)
    if place.kind == "files":
        with _extra(place, f"`{settings.get('location', '').partition('://')[0]}`", "files"):
            from xde.connectors.objects.any_store import AnyFiles
        return AnyFiles(settings, place.span)
    with _extra(place, "objects of S3", "s3"):
        from xde.connectors.objects.s3 import S3Files
    return S3Files(settings, place.span)


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
    settings = {n: revealed.text(v) for n, v in ask.place.settings.items()}
    for name, value in settings.items():
        if name in SECRETS or (":" in name and references(ask.place.settings[name])):
            hide(value)
    return ApiRecords(ask, live(ask, settings, root, apis.sharing), apis.sharing)


def not_now(ask: Ask) -> Finding:
    """What is told of a source that may not be read at this time of the day."""
    told = f"`{ask.dataset}` is not loaded now: it may be read {ask.limits.hours} (UTC)"
    return Finding("XDE0486", told, ask.span, "", "", "run again then, or widen `hours` of its `xdeLimits`", Severity.WARNING)
