"""The pipeline file of a project: remembered wishes, no human's work overwritten, and words for every repository that is not as it should be."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from xde.app.pipelines import Asked, make, references, write
from xde.app.repositories import repository_of
from xde.ground.errors import UserError

SETTINGS = "name: shop\nlake: s3://acme/lake\nledger: ${env:LEDGER}\nenvironments: {staging: {}, prod: {}}\n# ${env:NOT_THIS}\n"


def git(folder, *words):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def root(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "remote", "add", "origin", str(tmp_path))
    (tmp_path / "xde.yaml").write_text(SETTINGS)
    (tmp_path / "requirements.lock").write_text("xde==0.1.0\n")
    (tmp_path / ".gitignore").write_text(".xde/\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "x")
    git(tmp_path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    return tmp_path


def code(raised):
    return [f.code for f in raised.value.findings]


@pytest.mark.parametrize("provider", ["github", "gitlab"])
def test_a_file_remembers_what_it_was_made_with_and_is_made_again_the_same(root, provider):
    made = make(root, Asked(provider, production="live", python="3.12"))
    assert [f.code for f in made.warnings] == ["XDE0965"]
    assert made.state == "new"
    write(made, force=False)
    again = make(root, Asked(provider))
    assert (again.state, again.text) == ("same", made.text)
    other = make(root, Asked(provider, production="prod"))
    assert (other.state, list(other.warnings)) == ("older", [])
    write(other, force=False)
    assert "xde deploy prod" in other.path.read_text()
    assert "LEDGER" in other.text
    assert "NOT_THIS" not in other.text


def test_what_a_human_has_changed_is_not_overwritten(root):
    made = make(root, Asked("github"))
    write(made, force=False)
    made.path.write_text(made.text.replace("timeout-minutes: 360", "timeout-minutes: 10", 1))
    changed = make(root, Asked("github"))
    assert changed.state == "changed"
    with pytest.raises(UserError) as raised:
        write(changed, force=False)
    assert code(raised) == ["XDE0960"]
    write(changed, force=True)
    assert make(root, Asked("github")).state == "same"
    made.path.write_text("name: mine\n")
    assert make(root, Asked("github")).state == "changed"
    assert make(root, Asked("github", root / "ci/xde.yml")).state == "new"


def test_a_project_below_the_top_has_a_file_at_the_top(root):
    below = root / "data/shop"
    below.mkdir(parents=True)
    (below / "xde.yaml").write_text(SETTINGS)
    made = make(below, Asked("github"))
    assert made.shown == ".github/workflows/xde-data-shop.yml"
    assert [f.code for f in made.warnings] == ["XDE0967"]
    write(make(root, Asked("gitlab")), force=False)
    assert make(below, Asked("gitlab")).state == "changed", "it is that of another project"


def test_what_is_wrong_with_the_asking_is_told(root, tmp_path_factory):
    with pytest.raises(UserError) as raised:
        make(root, Asked("githb"))
    assert code(raised) == ["XDE0961"]
    assert raised.value.findings[0].hint == "did you mean `github`?"
    with pytest.raises(UserError) as raised:
        make(root, Asked("github", staging="dev"))
    assert code(raised) == ["XDE0966"]
    alone = tmp_path_factory.mktemp("alone")
    (alone / "xde.yaml").write_text(SETTINGS)
    with pytest.raises(UserError) as raised:
        make(alone, Asked("github"))
    assert code(raised) == ["XDE0962"]


def test_the_main_branch_is_what_the_remote_says_else_guessed_aloud(root):
    git(root, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    assert "`trunk` is deployed" in make(root, Asked("github")).text
    git(root, "symbolic-ref", "--delete", "refs/remotes/origin/HEAD")
    guessed = make(root, Asked("github"))
    assert [(f.code, f.message) for f in guessed.warnings] == [("XDE0963", "`main` is taken for the main branch")]
    assert list(make(root, Asked("github", branch="main")).warnings) == []


def test_a_lake_on_a_disk_that_is_thrown_away_is_told(root):
    (root / "xde.yaml").write_text("name: shop\nenvironments: {staging: {}, prod: {lake: s3://acme/lake, ledger: 'postgresql://db/x'}}\n")
    found = make(root, Asked("github")).warnings
    assert [f.message for f in found] == [
        "the lake lies in the project's own folder, at `.xde/lake`",
        "the ledger lies in the project's own folder, at `.xde/ledger.sqlite`",
    ]


def test_a_role_for_all_jobs_or_for_one(root):
    role = "arn:aws:iam::123456789012:role/xde"
    every = make(root, Asked("github", roles={"": role}, region="eu-central-1"))
    assert every.text.count("id-token: write") == 3
    one = Asked("github", roles={"production": role}, region="eu-central-1")
    assert make(root, one).text.count("id-token: write") == 1
    with pytest.raises(UserError) as raised:
        make(root, replace(one, region=None))
    assert code(raised) == ["XDE0966"]


def test_git_says_what_is_not_committed_and_which_release_it_is(root):
    repository = repository_of(root)
    assert (repository.changed(), repository.release()) == ([], None)
    git(root, "tag", "v1.10.0")
    git(root, "tag", "v1.9.0")
    git(root, "tag", "vnext")
    assert repository.release() == "1.10.0"
    (root / "a b.txt").write_text("")
    (root / "xde.yaml").write_text("name: y\n")
    assert sorted(repository.changed()) == ["a b.txt", "xde.yaml"]
    assert "a b.txt" in repository.files()
    assert references(root) == ()
