"""The pipelines that `xde ci` writes, carried out: their own lines, in a fresh clone a job, for a push, a change, the main branch and a tag."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from xde.app.environments import environments
from xde.app.opening import house_at
from xde.app.own_wheel import own_wheel
from xde.app.workspace import Workspace
from xde.faces.cli.main import main

sys.path.insert(0, str(Path(__file__).parent))
from platforms import Machine, github, gitlab

pytestmark = pytest.mark.peer  # pip is one: it installs what is locked, from an index

EXAMPLE = Path(__file__).parents[2] / "examples/jaffle_shop"
PROVIDERS = {"github": ".github/workflows/xde.yml", "gitlab": ".gitlab-ci.yml"}
NOTHING = "0" * 40


def git(folder, *words):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """A Python as the platform provides it, and a place where its pip finds xde."""
    folder = tmp_path_factory.mktemp("runner")
    wheel = own_wheel()
    (folder / wheel.filename).write_bytes(wheel.content())
    subprocess.run([sys.executable, "-m", "venv", str(folder / "python")], check=True)
    return folder


@pytest.fixture(scope="module")
def lock(tmp_path_factory):
    """The lock of a project, made once."""
    root = tmp_path_factory.mktemp("locking")
    (root / "xde.yaml").write_text("name: shop\n")
    assert main(["--project", str(root), "package", "--lock"]) == 0
    return (root / "requirements.lock").read_text()


class Shop:
    """A project in a repository of its own, its pipeline file, and what happens to it at the platform."""

    def __init__(self, provider, folder, runner, lock):
        self.provider, self.work, self.origin = provider, folder / "work", folder / "origin.git"
        shutil.copytree(EXAMPLE, self.work, ignore=shutil.ignore_patterns(".xde"))
        places = f"lake: {folder}/lake\nledger: sqlite:{folder}/ledger.sqlite\nenvironments: {{staging: {{}}, prod: {{}}}}\n"
        (self.work / "xde.yaml").write_text("name: shop\n" + places)
        (self.work / ".gitignore").write_text(".xde/\n")
        (self.work / "requirements.lock").write_text(lock)
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        git(self.work, "init", "--quiet", "--initial-branch=main")
        git(self.work, "remote", "add", "origin", str(self.origin))
        assert main(["--project", str(self.work), "-q", "ci", provider]) == 0
        self.commit("All of it")
        jobs = folder / "jobs"
        jobs.mkdir()
        self.machine = Machine(self.origin, jobs, runner / "python/bin", {"PIP_FIND_LINKS": str(runner)})
        self.before = NOTHING

    def commit(self, words, branch="main"):
        git(self.work, "add", "--all")
        git(self.work, "commit", "--quiet", "--message", words)
        git(self.work, "push", "--quiet", "origin", f"HEAD:{branch}")

    @property
    def head(self):
        return git(self.work, "rev-parse", "HEAD")

    def happens(self, what, ref_name="main", **more):
        """A push, a tag, or a change that is opened or closed; gives the jobs that ran."""
        play = partial({"github": github, "gitlab": gitlab}[self.provider], PROVIDERS[self.provider], self.machine, self.head)
        jobs = (
            play(getattr(self, f"_{self.provider}")(what, ref_name, **more))
            if not (what == "closed" and self.provider == "gitlab")
            else (play(self._gitlab(what, ref_name, **more), stopping=True))
        )
        for job in jobs.values():
            assert job.well, job.said
        self.before = self.head
        return jobs

    def _github(self, what, ref_name, fork=False, **_):
        if what in {"push", "tag"}:
            kind = "tags" if what == "tag" else "heads"
            return {
                "event_name": "push",
                "ref": f"refs/{kind}/{ref_name}",
                "ref_name": ref_name,
                "event": {"before": self.before if ref_name == "main" else NOTHING},
            }
        request = {
            "number": 7,
            "base": {"sha": git(self.work, "rev-parse", "main")},
            "head": {"repo": {"full_name": "eve/shop" if fork else "acme/shop"}},
        }
        event = {"action": what, "pull_request": request, "repository": {"default_branch": "main"}}
        return {"event_name": "pull_request", "ref": "refs/pull/7/merge", "ref_name": "7/merge", "event": event}

    def _gitlab(self, what, ref_name, fork=False, **more):
        told = {
            "CI_API_V4_URL": "http://127.0.0.1:9/api/v4",
            "CI_PROJECT_ID": "1",
            "CI_COMMIT_SHA": self.head,
            "CI_COMMIT_REF_NAME": ref_name,
            "CI_COMMIT_BEFORE_SHA": NOTHING,
            **more,
        }
        if what == "push":
            return {
                **told,
                "CI_PIPELINE_SOURCE": "push",
                "CI_COMMIT_BRANCH": ref_name,
                "CI_COMMIT_BEFORE_SHA": self.before if ref_name == "main" else NOTHING,
            }
        if what == "tag":
            return {**told, "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": ref_name}
        base = git(self.work, "rev-parse", "main")
        request = {
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2" if fork else "1",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        }
        return {**told, **request, "CI_PIPELINE_SOURCE": "merge_request_event"}

    @property
    def preview(self):
        return {"github": "pr_7", "gitlab": "mr_7"}[self.provider]

    def pointers(self, environment):
        house = house_at(self.work, environment)
        try:
            return house.ledger.pointers(environment)
        finally:
            house.close()

    def built(self, environment):
        """What the runs of an environment have built, leaving out views."""
        house = house_at(self.work, environment)
        try:
            return sorted({s.dataset for r in house.ledger.runs(environment) for s in house.ledger.steps(r.run) if s.kind == "build"})
        finally:
            house.close()

    def worth(self, environment):
        with Workspace.open(self.work, environment=environment) as workspace:
            return float(sum(r["customer_lifetime_value"] for r in workspace.show("marts.customers", limit=None).read_all().to_pylist()))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_from_a_first_push_to_production(provider, tmp_path, runner, lock):
    shop = Shop(provider, tmp_path, runner, lock)

    assert set(shop.happens("push")) == {"test", "staging"}
    assert len(shop.pointers("staging")) == 8
    assert shop.worth("staging") == 1672

    # a change in a branch: one column of one mart, and nothing else is built
    git(shop.work, "switch", "--quiet", "--create", "coupons")
    model = shop.work / "models/marts/customers.sql"
    edited, times = re.subn(
        r"(?m)^    JOIN staging.orders AS o USING \(order_id\)$",
        r"\g<0>\n    WHERE p.payment_method IS DISTINCT FROM 'coupon'",
        model.read_text(),
    )
    assert times == 1
    model.write_text(edited)
    shop.commit("A coupon is no income", "coupons")
    assert set(shop.happens("push", "coupons")) == {"test"}
    assert set(shop.happens("opened", fork=True)) == {"test"}, "somebody else's fork gets no environment and no secret"

    jobs = shop.happens("opened")
    assert set(jobs) == {"test", "preview"}
    assert shop.built(shop.preview) == ["marts.customers"]
    page = (jobs["preview"].folder / "xde-diff.md").read_text()
    assert f"## Data of `{shop.preview}` against `staging`" in page
    assert "| `marts.customers` | 12 rows changed; 88 unchanged | `customer_lifetime_value` | 10 of 10 → 10 of 10 |" in page
    assert (jobs["test"].folder / "xde-cases.xml").read_text().count("<testcase") == 12
    assert shop.worth("staging") == 1672, "nobody sees it yet"

    # it is merged and its environment goes
    git(shop.work, "switch", "--quiet", "main")
    git(shop.work, "merge", "--quiet", "--ff-only", "coupons")
    git(shop.work, "push", "--quiet", "origin", "main")
    shop.before = git(shop.work, "rev-parse", "HEAD^")
    assert set(shop.happens("push")) == {"test", "staging"}
    assert set(shop.happens("closed")) == {"drop"}
    assert set(shop.happens("closed")) == {"drop"}, "what is gone stays gone"
    assert shop.preview not in {e.name for e in environments(shop.work)}
    assert shop.worth("staging") < 1672
    assert shop.pointers("prod") == {}

    # a tag brings to production what staging has shown, and builds nothing
    git(shop.work, "tag", "v1.0.0")
    git(shop.work, "push", "--quiet", "origin", "v1.0.0")
    assert set(shop.happens("tag", "v1.0.0")) == {"test", "production"}
    assert shop.pointers("prod") == shop.pointers("staging")
    assert shop.built("prod") == shop.built("prod~next") == []


def test_what_is_broken_reaches_nobody(tmp_path, runner, lock):
    shop = Shop("github", tmp_path, runner, lock)
    model = shop.work / "models/marts/customers.sql"
    model.write_text(model.read_text().replace("count(*) AS number", "1 + count(*) AS number"))
    shop.commit("A fault that a case notices")
    jobs = github(PROVIDERS["github"], shop.machine, shop.head, shop._github("push", "main"))
    assert set(jobs) == {"test"}
    assert not jobs["test"].well
    assert jobs["test"].ran[-1].script.startswith("xde test")


class Notes(BaseHTTPRequestHandler):
    """The few words of GitLab's API that a note needs, over real HTTP."""

    kept: dict[int, str]
    asked: list[tuple[str, str, str | None]]

    def _answer(self, facts, status=200):
        body = json.dumps(facts).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Next-Page", "")
        self.end_headers()
        self.wfile.write(body)

    def _said(self):
        self.asked.append((self.command, self.path.partition("?")[0], self.headers["PRIVATE-TOKEN"]))
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    def do_GET(self):
        self._said()
        self._answer([{"id": n, "body": b} for n, b in self.kept.items()])

    def do_POST(self):
        self.kept[len(self.kept) + 1] = self._said()["body"]
        self._answer({"id": len(self.kept)}, 201)

    def do_PUT(self):
        self.kept[int(self.path.rpartition("/")[2])] = self._said()["body"]
        self._answer({"id": 1})

    def log_message(self, *_):
        pass


def test_the_note_at_a_merge_request_is_written_once_and_then_changed(tmp_path):
    import yaml
    from xde.undercurrents.engineering.delivery.gitlab import pipeline
    from xde.undercurrents.engineering.delivery.pipeline import Wishes

    script = yaml.load(pipeline(Wishes()), yaml.BaseLoader)["preview"]["script"][-1]
    handler = type("Mine", (Notes,), {"kept": {1: "somebody's own words"}, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    machine = Machine(tmp_path, tmp_path, Path(sys.executable).parent)
    told = {
        "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}/api/v4",
        "CI_PROJECT_ID": "1",
        "CI_MERGE_REQUEST_IID": "7",
        "no_proxy": "*",
    }
    try:
        for token, text in (("", "unseen"), ("glpat-1", "first"), ("glpat-1", "sécond")):
            (tmp_path / "xde-diff.md").write_text(text, encoding="utf-8")
            ran = machine.bash(script, tmp_path, {**told, **({"XDE_GITLAB_TOKEN": token} if token else {})})
            assert ran.code == 0, ran.err
    finally:
        server.shutdown()
        server.server_close()
    notes = "/api/v4/projects/1/merge_requests/7/notes"
    assert handler.asked == [
        ("GET", notes, "glpat-1"),
        ("POST", notes, "glpat-1"),
        ("GET", notes, "glpat-1"),
        ("PUT", f"{notes}/2", "glpat-1"),
    ]
    assert handler.kept == {1: "somebody's own words", 2: "<!-- xde diff . -->\nsécond"}
