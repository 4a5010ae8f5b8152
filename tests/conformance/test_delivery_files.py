"""The files of delivery before the judges of others: the schemas of GitHub and GitLab, zizmor for what is unsafe, hadolint for images."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xde.undercurrents.engineering.delivery import github, gitlab
from xde.undercurrents.engineering.delivery.dockerfile import Image, dockerfile
from xde.undercurrents.engineering.delivery.pins import CHECKOUT, PYTHONS
from xde.undercurrents.engineering.delivery.pipeline import Wishes

pytestmark = pytest.mark.peer

ROLES = {job: f"arn:aws:iam::123456789012:role/xde-{job}" for job in ("preview", "staging", "production")}
WISHES = {
    "plain": Wishes(),
    "below": Wishes(folder="data/shop", branch="trunk", production="live", python="3.13"),
    "cloud": Wishes(roles=ROLES, region="eu-central-1", references=("XDE_LAKE", "XDE_LEDGER")),
}


def judged(tool: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which(tool, path=str(Path(sys.executable).parent))
    assert program, f"{tool} is in the lock of development"
    plain = {name: value for name, value in os.environ.items() if name not in {"CI", "FORCE_COLOR", "CLICOLOR_FORCE"}} | {"NO_COLOR": "1"}
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, env=plain)


@pytest.fixture(params=WISHES)
def wishes(request):
    return WISHES[request.param]


@pytest.fixture
def workflow(wishes, tmp_path):
    path = tmp_path / github.path(wishes)
    path.parent.mkdir(parents=True)
    path.write_text(github.workflow(wishes, github.path(wishes)))
    return path


def test_github_reads_the_workflow(workflow):
    done = judged("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow))
    assert done.returncode == 0, done.stdout


def test_gitlab_reads_the_pipeline(wishes, tmp_path):
    path = tmp_path / gitlab.PATH
    path.write_text(gitlab.pipeline(wishes))
    done = judged("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(path))
    assert done.returncode == 0, done.stdout


def test_the_schemas_notice_a_fault(workflow):
    workflow.write_text(workflow.read_text().replace("runs-on:", "runs-at:", 1))
    assert judged("check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)).returncode == 1


def test_nothing_in_the_workflow_is_unsafe(workflow):
    done = judged("zizmor", "--offline", "--no-progress", str(workflow))
    assert done.returncode == 0, done.stdout
    workflow.write_text(workflow.read_text().replace('"$XDE_ENV"', "${{ github.head_ref }}").replace(CHECKOUT.commit, "main"))
    done = judged("zizmor", "--offline", "--no-progress", str(workflow))
    assert done.returncode > 0
    assert {"template-injection", "unpinned-uses"} <= {word.rstrip(":").partition("[")[2].rstrip("]") for word in done.stdout.split()}


@pytest.mark.parametrize("python", PYTHONS)
def test_the_image_is_made_as_it_should_be(python, tmp_path):
    path = tmp_path / "Dockerfile"
    path.write_text(
        dockerfile(Image("shop", "1.2.0", "0123456789ab", python, ["xde-0.1.0-py3-none-any.whl"], "shop-1.2.0-py3-none-any.whl"))
    )
    done = judged("hadolint", str(path))
    assert done.returncode == 0, done.stdout
    path.write_text(path.read_text().replace("WORKDIR /project", "WORKDIR project").replace(" --no-cache-dir", ""))
    assert {"DL3000", "DL3042"} <= set(judged("hadolint", str(path)).stdout.split())
