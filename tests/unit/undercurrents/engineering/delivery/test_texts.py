"""What delivery is made of: texts and bytes that are the same for the same wishes, and say when somebody has changed them."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
import yaml

from xde.undercurrents.engineering.delivery import github, gitlab
from xde.undercurrents.engineering.delivery.dockerfile import Image, dockerfile
from xde.undercurrents.engineering.delivery.locking import Pin, lock_text, read_lock
from xde.undercurrents.engineering.delivery.pipeline import Wishes
from xde.undercurrents.engineering.delivery.stamp import read_stamp, stamped
from xde.undercurrents.engineering.delivery.wheel import Wheel, project_wheel
from xde.undercurrents.engineering.delivery.wishing import faults, worries

ROLES = {"production": "arn:aws:iam::123456789012:role/xde"}
FULL = Wishes("data/shop", "trunk", "stage", "live", "3.13", ROLES, "eu-central-1", ("LAKE",))


@pytest.mark.parametrize("wishes", [Wishes(), FULL])
def test_a_stamp_is_true_until_somebody_changes_a_byte(wishes):
    for text in (github.workflow(wishes, github.path(wishes)), gitlab.pipeline(wishes)):
        stamp = read_stamp(text)
        assert stamp.untouched
        assert stamp.wishes == wishes.told()
        assert read_stamp(text.replace("\n", "\r\n")).untouched, "a line end is no change"
        assert not read_stamp(text.replace("--wait", "--wait ", 1)).untouched
        assert not read_stamp(text.replace('"3.1', '"3.0', 1)).untouched
    assert read_stamp("name: mine\n") is None
    assert stamped("xde ci github", {}, "a\n") == stamped("xde ci github", {}, "a\n")


def test_a_workflow_may_do_nothing_that_a_job_does_not_need():
    workflow = yaml.safe_load(github.workflow(FULL, github.path(FULL)))
    assert workflow["permissions"] == {}
    asked = {name: job["permissions"] for name, job in workflow["jobs"].items()}
    assert asked == {
        "test": {"contents": "read"},
        "preview": {"contents": "read", "pull-requests": "write"},
        "drop": {"contents": "read"},
        "staging": {"contents": "read"},
        "production": {"contents": "read", "id-token": "write"},
    }
    assert [name for name, job in workflow["jobs"].items() if "secrets.LAKE" in str(job.get("env"))] == [
        "preview",
        "drop",
        "staging",
        "production",
    ]


def test_no_two_jobs_change_one_environment_at_once_and_none_is_cut_short():
    jobs = yaml.safe_load(github.workflow(FULL, github.path(FULL)))["jobs"]
    groups = {name: job["concurrency"] for name, job in jobs.items() if name != "test"}
    assert all(group["cancel-in-progress"] is False for group in groups.values())
    assert groups["preview"] == groups["drop"]
    assert len({g["group"] for g in groups.values()}) == 3
    theirs = yaml.safe_load(gitlab.pipeline(FULL))
    assert theirs["default"]["interruptible"] is False
    assert theirs["preview"]["resource_group"] == theirs["drop"]["resource_group"]
    assert len({theirs[n]["resource_group"] for n in ("preview", "staging", "production")}) == 3


def test_what_comes_from_outside_is_named_by_its_digest():
    assert set(re.findall(r"uses: (\S+)", github.workflow(FULL, "x"))) == set(
        re.findall(r"uses: (\S+@[0-9a-f]{40}) # v\d", github.workflow(FULL, "x"))
    )
    assert re.search(r"image: python:\S+@sha256:[0-9a-f]{64}\n", gitlab.pipeline(Wishes()))
    assert "no digest of it is known" in gitlab.pipeline(Wishes(python="3.14"))


def test_a_project_below_the_top_works_in_its_folder_and_minds_its_own_files():
    assert github.path(FULL) == ".github/workflows/xde-data-shop.yml"
    workflow = yaml.load(github.workflow(FULL, github.path(FULL)), yaml.BaseLoader)
    assert workflow["defaults"]["run"]["working-directory"] == "data/shop"
    assert workflow["on"]["push"]["paths"] == workflow["on"]["pull_request"]["paths"] == ["data/shop/**", github.path(FULL)]
    pipeline = yaml.safe_load(gitlab.pipeline(FULL))
    assert pipeline["default"]["before_script"][0] == 'cd "data/shop"'
    assert pipeline["staging"]["rules"][0]["changes"][0] == "data/shop/**/*"


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (Wishes(branch="a b"), "`a b` cannot be named"),
        (Wishes(branch="x'; rm"), "cannot be named"),
        (Wishes(staging="${{ x }}"), "cannot be named"),
        (Wishes(folder='a"b'), "cannot be named"),
        (Wishes(python="2.7"), "there is no Python `2.7`"),
        (Wishes(production="staging"), "both `staging`"),
        (Wishes(roles={"prodction": ROLES["production"]}, region="eu-central-1"), "no job `prodction`"),
        (Wishes(roles={"staging": "xde"}, region="eu-central-1"), "`xde` is no role"),
        (Wishes(roles=ROLES), "none is named"),
        (Wishes(roles=ROLES, region="europe"), "no region"),
        (Wishes(region="eu-central-1"), "and no role"),
    ],
)
def test_what_could_break_out_of_a_pipeline_is_refused(wishes, words):
    found = list(faults(wishes))
    assert words in found[0].message
    assert all(f.code == "XDE0966" for f in found)


def test_an_environment_that_nobody_declared_may_be_misspelt():
    assert list(worries(Wishes(), {"staging", "prod"})) == []
    (one,) = worries(Wishes(), {"staging", "production"})
    assert (one.code, one.severity) == ("XDE0965", "warning")
    assert "did you mean `production`?" in one.hint


def test_a_wheel_is_the_same_bytes_for_the_same_files():
    wheel = project_wheel("shop", 'the "shop"\n', "1.0", {"xde.yaml": b"name: shop\n", "models/a.sql": b"SELECT 1\n"}, ["xde==0.1.0"])
    assert wheel.content() == wheel.content()
    assert wheel.filename == "shop-1.0-py3-none-any.whl"
    with zipfile.ZipFile(io.BytesIO(wheel.content())) as archive:
        assert archive.testzip() is None
        assert archive.read("shop/project/xde.yaml") == b"name: shop\n"
        compile(archive.read("shop/__main__.py"), "__main__.py", "exec")
        compile(archive.read("shop/__init__.py"), "__init__.py", "exec")
        assert "Requires-Dist: xde==0.1.0\n" in archive.read("shop-1.0.dist-info/METADATA").decode()
        listed = {line.split(",")[0] for line in archive.read("shop-1.0.dist-info/RECORD").decode().splitlines()}
        assert listed == set(archive.namelist())
    assert Wheel("a-b.c", "1.0", {}, {}).filename == "a_b_c-1.0-py3-none-any.whl"


def test_a_lock_is_read_as_it_is_written():
    pins = [Pin("b", "1.0+g1", ("0" * 64, "1" * 64)), Pin("A.x", "2!1")]
    assert read_lock(lock_text(pins, "3.12", hashes=True))[0] == [pins[1], pins[0]]
    assert read_lock(lock_text(pins, "3.12", hashes=False))[0] == [Pin("A.x", "2!1"), Pin("b", "1.0+g1")]
    assert read_lock("# x\na==1 # why\n\nb>=2\n-r more.txt\n") == ([Pin("a", "1")], [(4, "b>=2"), (5, "-r more.txt")])


def test_an_image_is_run_by_nobody_in_particular_and_holds_no_secret():
    text = dockerfile(Image("shop", "1.0", "0123456789ab", "3.12", (), "shop-1.0-py3-none-any.whl", ("XDE_LEDGER",)))
    last = text.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    assert last.endswith('ENTRYPOINT ["xde"]\n')
    assert "pip" not in last.replace("pipe", ""), "nothing is built in the image that is run"
    assert "XDE_LEDGER=" not in text
    assert len(set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))) == 1
    assert "no digest of it is known" in dockerfile(Image("shop", "1.0", "", "3.14", (), "x.whl"))
