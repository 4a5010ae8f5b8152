"""A folder of deliveries, as a source lists it."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from xde.connectors.files import sources
from xde.connectors.files.sources import DiskFiles
from xde.ground.digests import SHA256, bytes_digest
from xde.ground.errors import TemporaryError, UserError

if TYPE_CHECKING:
    from pathlib import Path


def sha256(content: bytes) -> str:
    return SHA256 + hashlib.sha256(content).hexdigest()


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def test_whole_files_by_path(tmp_path: Path) -> None:
    fill(tmp_path, "b.csv", "a.csv", "a.csv.part", "a.csv~", ".a.csv", "~$b.csv", "c.txt", "deep/er/d.csv", ".git/e.csv", "a.tmp")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "dangling.csv").symlink_to(tmp_path / "nowhere")
    files = DiskFiles()
    assert [f.path for f in files.list(str(tmp_path), "*.csv")] == ["a.csv", "b.csv"]
    assert [f.path for f in files.list(str(tmp_path), "**/*.csv*")] == ["a.csv", "b.csv", "deep/er/d.csv"]
    found = files.list(str(tmp_path), "deep/*/d.csv")[0]
    assert (found.size, found.changed_ns) == (13, (tmp_path / "deep/er/d.csv").stat().st_mtime_ns)
    assert files.digest(found) == sha256(b"deep/er/d.csv")
    assert files.list(str(tmp_path), "*.parquet") == []


def test_a_file_that_goes_away(tmp_path: Path) -> None:
    fill(tmp_path, "a.csv")
    found = DiskFiles().list(str(tmp_path), "a.csv")[0]
    (tmp_path / "a.csv").unlink()
    with pytest.raises(TemporaryError):
        DiskFiles().digest(found)


def test_a_digest_in_the_form_of_another(tmp_path: Path) -> None:
    """Files that were loaded by earlier versions are known by their BLAKE2b: that of a file now is held against it in the same form."""
    fill(tmp_path, "a.csv")
    files = DiskFiles()
    found = files.list(str(tmp_path), "a.csv")[0]
    assert files.digest(found, bytes_digest(b"another")) == bytes_digest(b"a.csv")
    assert files.digest(found, SHA256 + "0" * 64) == files.digest(found) == sha256(b"a.csv")
    assert files.digest(found, bytes_digest(b"another")) == bytes_digest(b"a.csv")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "deliveries").mkdir()
    with pytest.raises(UserError) as raised:
        DiskFiles().list(str(tmp_path / "deliverys"), "*")
    assert raised.value.findings[0].code == "XDE0440"
    assert "deliveries" in raised.value.findings[0].hint


@pytest.mark.parametrize("pattern", ["/etc/*", "", "../*.csv"])
def test_a_pattern_that_leads_elsewhere(tmp_path: Path, pattern: str) -> None:
    fill(tmp_path, "x.csv", "in/y.csv")
    with pytest.raises(UserError) as raised:
        DiskFiles().list(str(tmp_path / "in"), pattern)
    assert raised.value.findings[0].code == "XDE0442"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir(mode=0)
    with pytest.raises(UserError) as raised:
        DiskFiles().list(str(tmp_path / "in"), "*")
    assert raised.value.findings[0].code == "XDE0441"


def test_a_digest_is_that_of_the_file_as_it_was_listed(tmp_path: Path) -> None:
    files = DiskFiles()
    path = tmp_path / "a.csv"
    path.write_bytes(b"one")
    first = files.list(str(tmp_path), "a.csv")[0]
    assert files.digest(first) == files.digest(files.list(str(tmp_path), "a.csv")[0]) == sha256(b"one")
    path.write_bytes(b"two")  # as long as before
    os.utime(path, ns=(first.changed_ns + 1, first.changed_ns + 1))
    assert files.digest(files.list(str(tmp_path), "a.csv")[0]) == sha256(b"two")


def test_a_file_is_read_once_for_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.csv").write_bytes(b"one")
    read: list[Path] = []
    monkeypatch.setattr(sources, "file_digest_like", lambda path, _: (read.append(path), "digest")[1])
    files = DiskFiles()
    assert [files.digest(files.list(str(tmp_path), "a.csv")[0]) for _ in range(2)] == ["digest", "digest"]
    assert read == [tmp_path / "a.csv"]
