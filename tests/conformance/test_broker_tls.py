"""Brokers behind TLS: asked only where the contract trusts the authority that signed their certificate."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from projects.brokers import Plant, program, reading, serving
from projects.mqtt_plant import mqtt_server

from xde.app import listening
from xde.ground.errors import UserError

pytestmark = [pytest.mark.broker, pytest.mark.skipif(shutil.which("openssl") is None, reason="no `openssl` here")]
SERVER = "  - {{server: plant, type: custom, host: 127.0.0.1, port: {port}, customProperties: [{{property: xdeType, value: {kind}}}, {{property: xdeTls, value: true}}{more}]}}\n"
TRUSTED = ", {property: xdeCaFile, value: ca.pem}"


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """A folder with a certificate for this machine, signed by itself."""
    home = tmp_path_factory.mktemp("signed")
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=plant", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run(["openssl", *words, "-keyout", str(home / "key.pem"), "-out", str(home / "cert.pem")], check=True, capture_output=True)
    (home / "key.pem").chmod(0o644)
    return home


def distrusted_then_trusted(plant: Plant, signed, kind: str, port: int, **contract: str) -> None:
    plant.server = SERVER.format(port=port, kind=kind, more="")
    plant.contract(**contract)
    (plant.root / "ca.pem").write_bytes((signed / "cert.pem").read_bytes())
    if kind == "mqtt":
        with pytest.raises(UserError) as caught:
            plant.run()
        assert [f.code for f in caught.value.findings] == ["XDE0480"]
    else:
        assert plant.codes() == ["XDE0480"]
    plant.server = SERVER.format(port=port, kind=kind, more=TRUSTED)
    plant.contract(**contract)


@pytest.mark.skipif(program("redis-server") is None, reason="no `redis-server` here")
def test_redis(tmp_path, tmp_path_factory, signed):
    redis = pytest.importorskip("redis")
    words = [program("redis-server"), "--bind", "127.0.0.1", "--save", "", "--port", "0", "--tls-auth-clients", "no"]
    words += ["--tls-cert-file", str(signed / "cert.pem"), "--tls-key-file", str(signed / "key.pem")]
    with serving(tmp_path_factory.mktemp("redis"), lambda s: [*words, "--tls-port", str(s.port)]) as server:
        with redis.Redis("127.0.0.1", server.port, ssl=True, ssl_ca_certs=str(signed / "cert.pem")) as client:
            client.xadd("readings", {"body": reading(1)})
        plant = Plant(tmp_path / "plant", "")
        distrusted_then_trusted(plant, signed, "redis", server.port, stream="payload: body")
        assert plant.loaded().rows == 1


@pytest.mark.skipif(program("nats-server") is None, reason="no `nats-server` here")
def test_nats(tmp_path, tmp_path_factory, signed):
    pytest.importorskip("nats")
    home = tmp_path_factory.mktemp("nats")

    def words(server):
        tls = f'tls {{ cert_file: "{signed}/cert.pem", key_file: "{signed}/key.pem" }}'
        (home / "conf").write_text(f'listen: "127.0.0.1:{server.port}"\njetstream {{ store_dir: "{home}/store" }}\n{tls}\n')
        return [str(program("nats-server")), "-c", str(home / "conf")]

    with serving(home, words) as server:
        plant = Plant(tmp_path / "plant", "")
        distrusted_then_trusted(plant, signed, "nats", server.port)
        assert plant.codes() == ["XDE0518"], "it is let in, and there is no stream yet"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library leaves a socket open that it does not trust
@pytest.mark.skipif(program("mosquitto") is None, reason="no `mosquitto` here")
def test_mqtt(tmp_path, tmp_path_factory, signed, monkeypatch):
    pytest.importorskip("paho.mqtt.client")
    monkeypatch.setattr(listening, "QUIET", 0.3)
    with mqtt_server(tmp_path_factory.mktemp("mqtt"), f"certfile {signed}/cert.pem\nkeyfile {signed}/key.pem") as hand:
        plant = Plant(tmp_path / "plant", "")
        distrusted_then_trusted(plant, signed, "mqtt", hand.server.port)
        plant.run()
        assert "a session is kept" in plant.doctor().detail
        assert plant.doctor().status == "ok", plant.doctor()
