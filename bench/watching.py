"""The watch session measured from outside: wall seconds from the save of a model to the last word about it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path


def seconds(command: list[str], model: Path, saves: int = 5) -> list[float]:
    """One figure a save. The model is changed so that its cases must run again, and pass."""
    process = subprocess.Popen([*command, "test", "--watch", "--json"], stdout=subprocess.PIPE, text=True)
    said = process.stdout
    assert said is not None
    text = model.read_text(encoding="utf-8")
    found = []
    try:
        look = json.loads(said.readline())
        for number in range(saves):
            time.sleep(0.5)  # nobody saves faster
            begun = time.perf_counter()
            model.write_text(f"{text}\nLIMIT {1_000_000 + number}\n", encoding="utf-8")
            look = json.loads(said.readline())
            found.append(time.perf_counter() - begun)
            if not look["passed"] or not look["cases"]:
                sys.exit(f"the cases were not run, or failed: {look}")
    finally:
        process.kill()
        process.wait()
        model.write_text(text, encoding="utf-8")
    return found


if __name__ == "__main__":
    print(*(f"{s:.3f}" for s in seconds(sys.argv[1:-1], Path(sys.argv[-1]))))
