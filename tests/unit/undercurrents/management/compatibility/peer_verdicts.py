"""Run by the interpreter of datacontract-cli, not by ours: pairs of contracts in, as JSON on stdin, the worst level for readers out."""

import json
import logging
import sys
import tempfile
from pathlib import Path

from datacontract.data_contract import DataContract

logging.disable(logging.CRITICAL)
ORDER = ["none", "info", "warning", "error"]
answers = []
with tempfile.TemporaryDirectory() as folder:
    for pair in json.load(sys.stdin):
        paths = [Path(folder) / name for name in ("old.yaml", "new.yaml")]
        for path, text in zip(paths, pair, strict=True):
            path.write_text(text, encoding="utf-8")
        old, new = (DataContract(data_contract_file=str(p), inline_references=False) for p in paths)
        entries = old.breaking(new, perspective="consumer").entries
        answers.append(max((e.level.value for e in entries), key=ORDER.index, default="none"))
json.dump(answers, sys.stdout)
