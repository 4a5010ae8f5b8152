"""New projects: whole or not at all, and never over anything."""

from pathlib import Path

import pytest

from xde.app import scaffold
from xde.ground.errors import UserError


def files(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def code(action) -> str:
    with pytest.raises(UserError) as raised:
        action()
    return raised.value.findings[0].code


def test_the_starter(tmp_path):
    made = scaffold.init(tmp_path / "my-shop", None)
    assert files(tmp_path / "my-shop") == {
        ".gitignore",
        "README.md",
        "data/orders-2026-01.csv",
        "data/orders-2026-02.csv",
        "models/marts/daily_sales.sql",
        "models/marts/daily_sales.yaml",
        "models/staging/orders.sql",
        "sources/shop.yaml",
        "xde.yaml",
    }
    assert set(made) == {tmp_path / "my-shop" / f for f in files(tmp_path / "my-shop")}
    assert "name: my_shop\n" in (tmp_path / "my-shop/xde.yaml").read_text()
    assert [p.name for p in tmp_path.iterdir()] == ["my-shop"]


def test_a_name_that_is_none_is_replaced(tmp_path):
    scaffold.init(tmp_path / "2 müll!", None)
    assert "name: my_project\n" in (tmp_path / "2 müll!/xde.yaml").read_text()


def test_an_empty_folder_is_filled_where_it_stands(tmp_path, monkeypatch):
    folder = tmp_path / "here"
    folder.mkdir()
    inode = folder.stat().st_ino
    monkeypatch.chdir(folder)
    scaffold.init(Path(), None)
    assert Path("xde.yaml").is_file()
    assert folder.stat().st_ino == inode
    assert "name: here\n" in Path("xde.yaml").read_text()


def test_missing_folders_above_are_made(tmp_path):
    scaffold.init(tmp_path / "a/b/c", None)
    assert (tmp_path / "a/b/c/xde.yaml").is_file()


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert code(lambda: scaffold.init(tmp_path, None)) == "XDE0008"
    assert code(lambda: scaffold.init(tmp_path / "mine.txt", None)) == "XDE0008"
    assert files(tmp_path) == {"mine.txt"}


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    assert code(lambda: scaffold.init(tmp_path / "file/project", None)) == "XDE0010"


def test_a_failure_in_the_middle_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scaffold.shutil, "copyfile", fail)
    assert code(lambda: scaffold.init(tmp_path / "project", None)) == "XDE0010"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["flights", "jaffle_shop"])
def test_an_example_is_copied_as_it_is(tmp_path, name):
    source = scaffold.examples()[name]
    scaffold.init(tmp_path / "copy", name)
    assert files(tmp_path / "copy") == {f for f in files(source) if not f.startswith(".xde/")}
    for file in files(tmp_path / "copy"):
        assert (tmp_path / "copy" / file).read_bytes() == (source / file).read_bytes()


def test_what_a_run_left_in_an_example_is_not_copied(tmp_path, monkeypatch):
    example = tmp_path / "examples/small"
    (example / ".xde/lake").mkdir(parents=True)
    (example / ".xde/lake/x.parquet").write_text("")
    (example / "xde.yaml").write_text("name: small\n")
    monkeypatch.setattr(scaffold, "examples", lambda: {"small": example})
    scaffold.init(tmp_path / "copy", "small")
    assert files(tmp_path / "copy") == {"xde.yaml"}


def test_an_unknown_example(tmp_path):
    with pytest.raises(UserError) as raised:
        scaffold.init(tmp_path / "copy", "fligths")
    (finding,) = raised.value.findings
    assert (finding.code, finding.hint) == ("XDE0009", "did you mean `flights`?")
    assert not (tmp_path / "copy").exists()


def test_an_installation_without_examples_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(scaffold, "examples", dict)
    with pytest.raises(UserError) as raised:
        scaffold.init(tmp_path / "copy", "flights")
    assert raised.value.findings[0].why == "this installation of xde was made without examples"
