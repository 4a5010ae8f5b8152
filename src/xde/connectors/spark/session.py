"""One Spark session for a whole process: started as the results need it, quiet, and stopped at the end. Nothing is ever downloaded."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import signal
import sys
import threading
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xde.ground.errors import UserError
from xde.ground.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xde.kernel.project.settings import EngineSettings

LOG = "spark.log"
FAST = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # halves the time to start on one machine

# what rows depend on; nobody may set these otherwise
FIXED = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "true",
    "spark.sql.groupByOrdinal": "true",
    "spark.sql.legacy.sizeOfNull": "false",
    "spark.sql.legacy.timeParserPolicy": "CORRECTED",
    "spark.sql.mapKeyDedupPolicy": "EXCEPTION",
    "spark.sql.cteRecursionLevelLimit": "1000000",
    "spark.sql.cteRecursionRowLimit": "-1",
    "spark.sql.parquet.compression.codec": "zstd",
}
HADOOP = {"spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false"}
DEFAULTS = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.app.name": "xde"}
LOCAL = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.sql.shuffle.partitions": "8"}
DOWNLOADS = ("spark.jars.packages", "spark.jars.repositories", "spark.jars.ivy", "spark.jars.ivySettings")

_lock = threading.Lock()
_open: dict[str, Any] = {}  # the one session of the process: what it was opened for, the session, how many use it


class Sparked:
    """A session, made when first needed; every step runs in it under a group of its own."""

    def __init__(self, settings: EngineSettings, temp_folder: Path) -> None:
        self._settings = settings
        self._temp_folder = temp_folder
        self._mine: Any = None
        self._groups: dict[int, str] = {}
        self._lock = threading.Lock()
        self.cancelled = False

    @property
    def where(self) -> str:
        """The cluster that is meant."""
        return self._settings.remote or self._settings.master or "local[*]"

    @property
    def log(self) -> Path:
        """Where Spark's own words go."""
        return self._temp_folder / LOG

    def spark(self) -> Any:  # noqa: ANN401 - a session of a library without types
        """The session."""
        with self._lock:
            if self._mine is None:
                self._mine = self._entered()
            return self._mine

    def _entered(self) -> Any:  # noqa: ANN401 - a session of a library without types
        key = repr((self._settings.master, self._settings.remote, sorted(self._settings.options.items())))
        with _lock:
            if _open and _open["key"] != key:
                raise UserError(
                    Finding(
                        "XDE0812",
                        f"this process has a Spark session of other settings open: {_open['where']}",
                        why="Spark has one session for a whole process",
                        hint="close the other project or environment first, or use a process of its own",
                    )
                )
            if not _open:
                _open.update(key=key, where=self.where, session=self._started(), users=0)
            _open["users"] += 1
            return _open["session"]

    def _started(self) -> Any:  # noqa: ANN401 - a session of a library without types
        options = checked(self._settings)
        needs(self._settings)
        from pyspark.sql import SparkSession

        logging.getLogger("SQLQueryContextLogger").disabled = True  # what it says is told as a finding
        self._temp_folder.mkdir(parents=True, exist_ok=True)
        builder = SparkSession.builder
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        if self._settings.remote:
            session = _guarded(lambda: builder.remote(self._settings.remote).create(), self.where)
            for name, value in FIXED.items():
                session.conf.set(name, value)
            return session
        local = self.where.startswith("local")
        if local:
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        java = {"spark.driver.extraJavaOptions": FAST} if local else {}
        for name, value in {**DEFAULTS, **(LOCAL if local else {}), **java, **options, **FIXED, **HADOOP}.items():
            builder = builder.config(name, value)
        with _quiet(self.log), _own_interrupt():
            return _guarded(builder.master(self.where).getOrCreate, self.where)

    @contextmanager
    def group(self) -> Iterator[Any]:
        """The session, with all that this thread asks of it known as one group."""
        spark = self.spark()
        name, thread = uuid.uuid4().hex, threading.get_ident()
        if not self._settings.remote:
            spark.sparkContext.setJobGroup(name, "xde", interruptOnCancel=True)
        with self._lock:
            self._groups[thread] = name
        try:
            yield spark
        finally:
            with self._lock:
                self._groups.pop(thread, None)

    def progress(self) -> dict[int, float]:
        """How far the queries under way are, by thread: tasks done of those that are known so far."""
        if self._mine is None or self._settings.remote:
            return {}
        with self._lock:
            groups = dict(self._groups)
        tracker = self._mine.sparkContext.statusTracker()
        found: dict[int, float] = {}
        for thread, group in groups.items():
            jobs = [j for i in tracker.getJobIdsForGroup(group) if (j := tracker.getJobInfo(i))]
            stages = [s for j in jobs for i in j.stageIds if (s := tracker.getStageInfo(i))]
            total = sum(s.numTasks for s in stages)
            if total:
                found[thread] = min(1.0, sum(s.numCompletedTasks for s in stages) / total)
        return found

    def cancel(self) -> None:
        """Stop all that is under way."""
        if self._mine is None:
            return
        self.cancelled = True
        if self._settings.remote:
            self._mine.interruptAll()
        else:
            self._mine.sparkContext.cancelAllJobs()

    def close(self) -> None:
        """Let go; the last one stops Spark."""
        with self._lock:
            mine, self._mine = self._mine, None
        if mine is None:
            return
        with _lock:
            _open["users"] -= 1
            if _open["users"] > 0:
                return
            _open.clear()
        with suppress(OSError):
            mine.stop()
        if not self._settings.remote:
            _end_gateway()


def recipe(settings: EngineSettings) -> dict[str, object]:
    """What a process that opens a session of its own must set, as data. Raises `UserError` for what is not installed or not allowed."""
    options = checked(settings)
    needs(settings)
    master = settings.master or "local[*]"
    local = master.startswith("local")
    every = {**DEFAULTS, **(LOCAL if local else {}), **options, **FIXED, **HADOOP}
    return {"master": master, "remote": settings.remote, "options": every, "fixed": FIXED}


def _end_gateway() -> None:
    """Take the Java process down too: a later session of the process starts with settings of its own."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway  # noqa: SLF001 - the library has no word for it
    if gateway is not None:
        process = getattr(gateway, "proc", None)
        gateway.shutdown()
        if process is not None:
            process.stdin.close()
            process.wait(30)
        SparkContext._gateway = SparkContext._jvm = None  # noqa: SLF001 - the library has no word for it


def checked(settings: EngineSettings) -> dict[str, str]:
    """The user's options, without those that would make rows others, or fetch programs from elsewhere."""
    if settings.master and settings.remote:
        raise UserError(
            Finding(
                "XDE0813",
                "`engine:` has both `master` and `remote`",
                why="`master` starts a driver here, `remote` speaks to a Spark Connect server",
                hint="keep one of the two",
            )
        )
    for name, value in settings.options.items():
        if name in FIXED and str(value).lower() != FIXED[name].lower():
            raise UserError(
                Finding(
                    "XDE0814",
                    f"the option `{name}` of Spark may not be `{value}`",
                    why=f"a model gives the same rows on every engine only with `{FIXED[name]}`",
                    hint="take it out of `options` under `engine:`",
                )
            )
        if name in DOWNLOADS:
            raise UserError(
                Finding(
                    "XDE0814",
                    f"the option `{name}` of Spark is not taken",
                    why="a run downloads no programs",
                    hint="name files that are there with `spark.jars`",
                )
            )
    return dict(settings.options)


def needs(settings: EngineSettings) -> None:
    """Raise a finding for what is not installed."""
    if importlib.util.find_spec("pyspark") is None:
        raise UserError(
            Finding(
                "XDE0810",
                "the engine `spark` needs pyspark",
                why="it is not installed in this environment",
                hint="`pip install 'xde[spark]'`",
            )
        )
    if settings.remote:
        missing = [m for m in ("grpc", "google.rpc", "zstandard", "pandas") if not _there(m)]
        if missing:
            raise UserError(
                Finding(
                    "XDE0810",
                    "a `remote` of the engine `spark` needs the client of Spark Connect",
                    why=f"not installed: {', '.join(missing)}",
                    hint="`pip install 'xde[spark]'`",
                )
            )
        return
    home = os.environ.get("JAVA_HOME")
    if not (home and (Path(home) / "bin" / "java").exists()) and shutil.which("java") is None:
        raise UserError(
            Finding(
                "XDE0811",
                "the engine `spark` needs Java",
                why="there is no `java` on the path, and JAVA_HOME does not name one",
                hint="`apt-get install openjdk-17-jre-headless` on Debian, or give `remote: sc://...` under `engine:`",
            )
        )


def _there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _guarded(start: Any, where: str) -> Any:  # noqa: ANN401 - of a library without types
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return start()
    except (PySparkException, Py4JError, OSError, RuntimeError) as error:
        raise UserError(
            Finding(
                "XDE0815",
                f"Spark does not start at `{where}`",
                why=" ".join(str(error).split())[:400],
                hint="see that the cluster runs and can be reached, and look into `.xde/tmp/spark.log`",
            )
        ) from error


@contextmanager
def _quiet(log: Path) -> Iterator[None]:
    """What the Java process says goes into a file: it takes over the error stream that it finds at its start."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with log.open("ab") as stream:
            os.dup2(stream.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _own_interrupt() -> Iterator[None]:
    """Keep our own answer to Ctrl-C: the library puts its own in place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, held)
