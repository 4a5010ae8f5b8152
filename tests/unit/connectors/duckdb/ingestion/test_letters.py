"""Letters in files and back, whatever is in them."""

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from xde.connectors.duckdb.ingestion import letters as files
from xde.lifecycle.ingestion.port import Letter, LetterReason

AT = ("run-1", "2026-01-02T03:04:05Z")


def letter(line, raw, *reasons, offset=None, header=()):
    return Letter(f"{line:016x}", "shop.orders", "orders.csv", "d" * 32, line, raw, reasons, *AT, offset, header)


LETTERS = [
    letter(2, "Zürich,7 €".encode(), LetterReason("type", "n", "`7 €` is not a BIGINT"), offset=0, header=("city", "n")),
    letter(
        3, b"\xff\x00broken", LetterReason("parse", None, "bytes that are not text"), LetterReason("required", "n", ""), header=("city",)
    ),
    letter(4, b"", header=()),
    *(letter(n, b"x" * n, LetterReason("unique", "n", "is there already"), offset=n, header=("city", "n")) for n in range(5, 40)),
]


@pytest.mark.parametrize("piece", [1, 100, 1 << 28])
def test_letters_come_back_as_they_were(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(files, "PIECE", piece)
    name = files.write_letters(LETTERS, str(tmp_path))
    assert files.read_letters([str(tmp_path / name)]) == LETTERS
    assert (pq.read_metadata(tmp_path / name).num_row_groups == 1) == (piece > 1000)
    assert [f.name for f in tmp_path.iterdir()] == [name]


def test_nobody_waits_for_pandas(tmp_path):
    text = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import test_letters as t; "
        "t.files.write_letters(t.LETTERS, sys.argv[2]); sys.exit('pandas' in sys.modules)"
    )
    pytest.importorskip("pandas")
    subprocess.run([sys.executable, "-c", text, str(Path(__file__).parent), str(tmp_path)], check=True)
