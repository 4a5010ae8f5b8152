"""`xde profile` and `xde contract draft` and `backtest` as processes: streams, documents, exit codes, a page that is whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import xde


@pytest.fixture
def call(tmp_path):
    (tmp_path / "orders.csv").write_text("id,customer_id,email\n" + "".join(f"{i},{i % 5 + 1},u{i}@example.com\n" for i in range(1, 41)))
    (tmp_path / "customers.csv").write_text("id,town\n1,Bonn\n2,<b>Köln</b>\n3,Bonn\n4,Trier\n5,Mainz\n")

    def run(*words):
        variables = {k: v for k, v in os.environ.items() if not k.startswith("XDE_")}
        variables |= {"PYTHONPATH": str(Path(xde.__file__).parents[1])}
        command = [sys.executable, "-m", "xde.faces.cli.main", *words]
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False, timeout=60)

    return run


def test_files_need_no_project(call):
    done = call("profile", "*.csv")
    assert done.returncode == 0, done.stderr
    assert re.search(r"orders\.customer_id +customers\.id +100 %", done.stdout)
    assert "u1@example.com" not in done.stdout
    assert "2 tables of 45 rows" in done.stderr


def test_as_data(call):
    done = call("profile", "orders.csv", "--json")
    (table,) = json.loads(done.stdout)["tables"]
    assert table["keys"] == [["id"]]
    assert table["personal"]["email"]["evidence"].endswith("100 % of 40 different values are e-mail addresses")
    assert "example.com" not in done.stdout


def test_a_page_that_needs_nothing_but_itself(call, tmp_path):
    done = call("profile", "*.csv", "--html", "page.html")
    assert (done.returncode, done.stdout) == (0, "")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<b>Köln" not in page
    assert "&lt;b&gt;Köln" in page
    assert not re.search(r"<script|src=|href=\"(?!#)|url\(|@import|https?:", page)
    assert not list(tmp_path.glob(".*.part"))


@pytest.mark.slow
def test_nothing_named_nothing_there_and_nowhere_to_write(call, tmp_path):
    assert call("profile").returncode == 2
    missing = call("profile", "order.csv")
    assert missing.returncode == 1
    assert "error[XDE0370]" in missing.stderr
    assert "did you mean `orders.csv`?" in missing.stderr
    assert "XDE0007" in call("profile", "orders.csv", "--html", "no/such/page.html").stderr
    assert call("profile", "--all").returncode == 1


@pytest.mark.slow
def test_from_a_draft_to_a_backtest(call, tmp_path):
    (tmp_path / "xde.yaml").write_text("name: p\n")
    drafted = call("contract", "draft", "*.csv", "--output", "sources/shop.yaml")
    assert (drafted.returncode, drafted.stdout) == (0, "sources/shop.yaml\n"), drafted.stderr
    assert call("contract", "draft", "orders.csv", "--output", "sources/shop.yaml").returncode == 1
    assert call("run").returncode == 0
    assert call("contract", "backtest").returncode == 0
    text = (tmp_path / "sources/shop.yaml").read_text()
    (tmp_path / "sources/shop.yaml").write_text(text.replace("# evidence: values go from 1 to 5", "logicalTypeOptions: {maximum: 4}", 1))
    done = call("contract", "backtest", "shop", "--json")
    assert done.returncode == 1
    (first,) = [d for d in json.loads(done.stdout)["deliveries"] if d["failed"]]
    assert (first["dataset"], first["put_aside"], first["stopped"]) == ("shop.customers", 1, True)
    assert "example.com" not in done.stdout
