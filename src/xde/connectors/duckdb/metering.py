"""What DuckDB says of a query that it has carried out: bytes fetched, and the most it held meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from xde.kernel.run.metering import meter

if TYPE_CHECKING:
    import duckdb

# Measured on DuckDB 2.0: a query that is asked for these three takes 0.1 to 0.2 ms more. Memory and spilling are those of the whole
# instance while the query ran. Its `cpu_time` is not asked for: it adds up clock times of threads, twice the CPU's where cores are shared.
ASKED = "['io.total_bytes_read', 'system.peak_buffer_memory', 'system.peak_temp_dir_size']"


def ask(cursor: duckdb.DuckDBPyConnection) -> bool:
    """Have the queries of a connection measured, if a step asks for it; whether they are."""
    if meter() is None:
        return False
    cursor.execute(f"SET enable_profiling = 'no_output'; SET tracked_metrics = {ASKED}")
    return True


def note(cursor: duckdb.DuckDBPyConnection) -> None:
    """Tell the step's meter of the last query of a connection, whose result was fetched."""
    step = meter()
    if step is None:
        return
    told = json.loads(cursor.get_profiling_information("json"))
    if "system" in told:
        system = told["system"]
        read = int(told["io"]["total_bytes_read"])
        step.queried(read=read, memory=int(system["peak_buffer_memory"]), spilled=int(system["peak_temp_dir_size"]))
