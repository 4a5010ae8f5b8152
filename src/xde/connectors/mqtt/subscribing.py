"""Messages of MQTT by a session that outlives its connections, at QoS 1: one is acknowledged when whoever took it says that it is safe.

Not at QoS 2: the library says that it has such a message before it hands it over, so that one of a process that is killed then was lost.
A subscription is made once for a session. To make it again would have the broker send all retained messages again.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from xde.ground.clock import SystemClock
from xde.ground.errors import TemporaryError, UserError, XdeError
from xde.ground.findings import Finding
from xde.lifecycle.sources.reaching import reach, shut
from xde.lifecycle.sources.tables import Looked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from xde.lifecycle.sources.devices import Subscription, Take

QOS = 1
PORT, TLS_PORT = 1883, 8883
FLUSH = 5.0  # seconds for what is still to be sent at the end
SESSION = "session.json"  # in the folder of the spool: what was subscribed to
_LOGIN = {"Bad user name or password", "Not authorized", "Banned", "Bad authentication method"}


class MqttDevices:
    """See `lifecycle.sources.devices.Devices`. `name` is the session's; `folder` is where it is remembered that there is one."""

    def __init__(self, settings: Mapping[str, str], of: Subscription, name: str, folder: Path) -> None:
        self._settings, self._of, self._name = settings, of, name
        self._known = folder / SESSION
        self._clock = SystemClock()
        self._last = self._clock.monotonic()
        self._ready = threading.Event()
        self._wrong: XdeError | None = None
        self._take: Take = lambda *_: None
        self._tell: Callable[[str], None] = lambda _: None
        self._client: mqtt.Client | None = None

    def begin(self, take: Take, tell: Callable[[str], None]) -> None:
        """Connect, and see to it that the session is subscribed."""
        self._take, self._tell = take, tell
        client = self._client = self._made(self._name, clean=False)
        client.on_message = self._on_message
        self._connect(client)
        client.loop_start()
        if not self._ready.wait(self._of.connect_timeout) or self._wrong is not None:
            wrong = self._wrong or TemporaryError(f"`{self._label}` does not answer just now", retry_in=1.0)
            self.end()
            raise wrong
        self._last = self._clock.monotonic()

    def idle(self) -> float:
        """Seconds since the last message or acknowledgement."""
        return self._clock.monotonic() - self._last

    def end(self) -> None:
        """Disconnect, and wait for the thread."""
        if self._client is not None:
            ends = self._clock.monotonic() + FLUSH
            while self._client.want_write() and self._client.is_connected() and self._clock.monotonic() < ends:
                time.sleep(0.01)  # acknowledgements are on their way
            with suppress(OSError, ValueError):
                self._client.disconnect()
            self._client.loop_stop()
            self._client = None

    def look(self) -> list[Looked]:
        """Name, port, login, and whether the topic may be subscribed to; by a session that ends at once."""
        looked, there = reach(self._settings.get("host", "localhost"), self._port, self._of.connect_timeout)
        if not there:
            return looked
        client = self._client = self._made(f"{self._name}-doctor", clean=True)
        try:
            self._connect(client)
            client.loop_start()
            if not self._ready.wait(self._of.connect_timeout) and self._wrong is None:
                self._wrong = TemporaryError("it does not answer", retry_in=1.0)
        except XdeError as error:
            self._wrong = error
        finally:
            self.end()
        if self._wrong is not None:
            return [*looked, shut(self._of.topic, self._wrong)]
        told = "subscribed; a session is kept" if self._known.exists() else "may be subscribed to; no session is kept yet"
        return [*looked, Looked("login", well=True, told="accepted"), Looked(f"topic `{self._of.topic}`", well=True, told=told)]

    @property
    def _port(self) -> int:
        return int(self._settings.get("port", TLS_PORT if self._settings.get("tls") == "true" else PORT))

    @property
    def _label(self) -> str:
        return f"{self._settings.get('host', 'localhost')}:{self._port}"

    def _made(self, name: str, *, clean: bool) -> mqtt.Client:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, name, clean_session=clean, protocol=mqtt.MQTTv311, manual_ack=True)
        client.connect_timeout = self._of.connect_timeout
        client.reconnect_delay_set(1, 60)
        if "user" in self._settings:
            client.username_pw_set(self._settings["user"], self._settings.get("password"))
        if self._settings.get("tls") == "true":
            client.tls_set_context(ssl.create_default_context(cafile=self._settings.get("caFile")))
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        return client

    def _connect(self, client: mqtt.Client) -> None:
        try:
            client.connect(self._settings.get("host", "localhost"), self._port)
        except ssl.SSLCertVerificationError as error:
            hint = "name the authority that signed it as `xdeCaFile` of the server"
            message = f"the certificate of `{self._label}` is not trusted"
            raise UserError(Finding("XDE0480", message, self._of.place.span, "", str(error), hint)) from None
        except OSError as error:
            raise TemporaryError(f"`{self._label}` cannot be reached just now: {error}", retry_in=1.0) from None

    def _on_connect(self, client: mqtt.Client, _: Any, flags: mqtt.ConnectFlags, code: ReasonCode, __: Properties | None) -> None:  # noqa: ANN401 - the library's shape
        if code.is_failure:
            if str(code) in _LOGIN:
                hint = "look at `xdeUser` and `xdePassword` of the server in the contract, and at what the reference stands for"
                message = f"`{self._label}` refuses the login"
                self._wrong = UserError(Finding("XDE0481", message, self._of.place.span, "refused", str(code), hint))
            else:
                self._wrong = TemporaryError(f"`{self._label}` does not let us in: {code}", retry_in=1.0)
            self._ready.set()
            return
        known = self._session()
        if flags.session_present and known == self._of.topic:
            self._settled()
            return
        if known is not None and not flags.session_present:
            self._tell(f"`{self._label}` has forgotten our session: what came while nobody listened may be lost [XDE0520]")
        if known is not None and known != self._of.topic:
            client.unsubscribe(known)
        client.subscribe(self._of.topic, QOS)

    def _on_subscribe(self, client: mqtt.Client, _: Any, __: int, codes: list[ReasonCode], ___: Properties | None) -> None:  # noqa: ANN401 - the same
        if any(c.is_failure for c in codes):
            user, why = self._settings.get("user", "anonymous"), "the broker refuses the subscription"
            hint = f"let `{user}` read `{self._of.topic}`: in an ACL file of mosquitto `topic read {self._of.topic}`"
            self._wrong = UserError(Finding("XDE0519", f"`{self._of.topic}` may not be read", self._of.span, "no right", why, hint))
        elif not self._name_is_for_looking(client):
            aside = self._known.with_suffix(".part")
            aside.write_text(json.dumps({"topic": self._of.topic}))
            aside.replace(self._known)
        self._settled()

    def _name_is_for_looking(self, client: mqtt.Client) -> bool:
        return client is self._client and client.on_message is None

    def _settled(self) -> None:
        if self._ready.is_set():
            self._tell(f"connected to `{self._label}` again")
        self._last = self._clock.monotonic()
        self._ready.set()

    def _on_disconnect(self, _: mqtt.Client, __: Any, ___: Any, code: ReasonCode, ____: Properties | None) -> None:  # noqa: ANN401 - the same
        if code.is_failure and self._ready.is_set() and self._wrong is None:
            self._tell(f"`{self._label}` is away: {code}; what comes meanwhile waits there")

    def _on_message(self, client: mqtt.Client, _: Any, message: mqtt.MQTTMessage) -> None:  # noqa: ANN401 - the same
        self._last = self._clock.monotonic()
        number, qos = message.mid, message.qos

        def acknowledge() -> None:
            self._last = self._clock.monotonic()
            client.ack(number, qos)

        self._take(bytes(message.payload), message.topic, acknowledge)

    def _session(self) -> str | None:
        """What the session is subscribed to, as far as we know of one."""
        try:
            found = json.loads(self._known.read_text())
        except (OSError, ValueError):
            return None
        return str(found.get("topic"))
