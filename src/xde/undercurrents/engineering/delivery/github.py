"""A pipeline as GitHub Actions runs it: permissions empty but for what a job must do, actions by digest, no secret kept for a cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

from xde.undercurrents.engineering.delivery import pins
from xde.undercurrents.engineering.delivery.pipeline import CASES, DIFF, Job, Occasion, Step, Wishes, jobs
from xde.undercurrents.engineering.delivery.stamp import stamped

if TYPE_CHECKING:
    from collections.abc import Sequence

MAKER = "xde ci github"
FOLDER = ".github/workflows"
_SAME = "github.event.pull_request.head.repo.full_name == github.repository"  # a fork gets no secrets
_NUMBER = "${{ github.event.pull_request.number }}"


def path(wishes: Wishes) -> str:
    """Where the file belongs, from the top of the repository; a project below the top has one of its own."""
    name = "-".join(["xde", *(part for part in wishes.folder.split("/") if part)])
    return f"{FOLDER}/{name}.yml"


def workflow(wishes: Wishes, at: str) -> str:
    """The whole file, with its stamp; `at` is where it will lie."""
    parts = [_head(wishes, at), *(_job(job, wishes) for job in jobs(wishes))]
    return stamped(MAKER, wishes.told(), "\n".join(parts))


def _head(wishes: Wishes, at: str) -> str:
    paths = [f"    paths: {json.dumps([f'{wishes.folder}/**', at])}"] if wishes.folder else []
    inside = [f"    working-directory: {json.dumps(wishes.folder)}"] if wishes.folder else []
    return _text(
        [
            "#",
            "# Every commit is tested. A pull request gets an environment of its own and a comment on what it does to the data.",
            f"# `{wishes.branch}` is deployed to `{wishes.staging}`, a tag `v*` to `{wishes.production}`.",
            "# Say what you want by options (`xde ci --help`); what a human has changed here is not overwritten.",
            f"name: {json.dumps(f'xde {wishes.folder}'.strip())}",
            "",
            "on:",
            "  push:",
            '    branches: ["**"]',
            '    tags: ["v*"]',
            *paths,
            "  pull_request:",
            "    types: [opened, synchronize, reopened, closed]",
            *paths,
            "",
            "permissions: {}  # each job says what it must be allowed",
            "",
            "defaults:",
            "  run:",
            "    shell: bash",
            *inside,
            "",
            "jobs:",
        ]
    )


def _job(job: Job, wishes: Wishes) -> str:
    role = wishes.roles.get(job.name)
    lines = [f"  # {job.why}", f"  {job.name}:"]
    lines += [] if job.occasion is Occasion.COMMIT else ["    needs: test"] if job.occasion is not Occasion.CLOSED else []
    lines += [f"    if: {_when(job.occasion, wishes)}", "    runs-on: ubuntu-24.04", "    timeout-minutes: 360"]
    lines += _permissions(job, role is not None)
    if job.environment:
        lines += [f"    environment: {job.environment}", "    concurrency:", f"      group: {_group(job, wishes)}"]
        lines += ["      cancel-in-progress: false  # the next one waits"]
    lines += _variables(job, wishes)
    lines += ["    steps:", *_checkout(job), *_python(wishes)]
    lines += _role(role, wishes) if role else []
    for step in job.steps:
        lines += _step(step, _step_variables(step, wishes))
    if job.occasion is Occasion.COMMIT:
        lines += _cases(wishes)
    if job.occasion is Occasion.CHANGE:
        lines += _comment(wishes)
    return _text(lines)


def _when(occasion: Occasion, wishes: Wishes) -> str:
    match occasion:
        case Occasion.COMMIT:
            return "github.event.action != 'closed'"
        case Occasion.CHANGE:
            return f"github.event_name == 'pull_request' && github.event.action != 'closed' && {_SAME}"
        case Occasion.CLOSED:
            return f"github.event_name == 'pull_request' && github.event.action == 'closed' && {_SAME}"
        case Occasion.MAIN:
            return f"github.event_name == 'push' && github.ref == 'refs/heads/{wishes.branch}'"
        case Occasion.TAG:
            return "github.event_name == 'push' && startsWith(github.ref, 'refs/tags/v')"
        case _:
            assert_never(occasion)


def _permissions(job: Job, role: bool) -> list[str]:  # noqa: FBT001 - whether there is one
    lines = ["    permissions:", "      contents: read"]
    lines += ["      pull-requests: write  # for the comment"] if job.occasion is Occasion.CHANGE else []
    return lines + (["      id-token: write  # the cloud's role is taken on by it, no key is kept"] if role else [])


def _group(job: Job, wishes: Wishes) -> str:
    """One name for all that may change one environment."""
    words = ["xde", *wishes.folder.split("/"), f"pr-{_NUMBER}" if job.environment == "preview" else job.environment]
    return "-".join(word for word in words if word)


def _variables(job: Job, wishes: Wishes) -> list[str]:
    if not job.environment:
        return []
    known = [f"      {name}: ${{{{ secrets.{name} }}}}" for name in wishes.references]
    known += [f"      XDE_ENV: pr_{_NUMBER}"] if job.environment == "preview" else []
    return ["    env:", *known] if known else []


def _checkout(job: Job) -> list[str]:
    lines = [f"      - uses: {pins.CHECKOUT}", "        with:"]
    if job.occasion is Occasion.CLOSED:
        lines += ["          ref: ${{ github.event.repository.default_branch }}  # that of the change may be gone"]
    if job.occasion is Occasion.COMMIT:
        lines += ["          fetch-depth: 0  # contracts are compared with what they were"]
    return [*lines, "          persist-credentials: false"]


def _python(wishes: Wishes) -> list[str]:
    return [f"      - uses: {pins.SETUP_PYTHON}", "        with:", f'          python-version: "{wishes.python}"']


def _role(role: str, wishes: Wishes) -> list[str]:
    return [
        f"      - uses: {pins.AWS_ROLE}",
        "        with:",
        f"          role-to-assume: {role}",
        f"          aws-region: {wishes.region}",
    ]


def _step_variables(step: Step, wishes: Wishes) -> list[str]:
    if any("$BEFORE" in line for line in step.lines):
        return [
            "BEFORE: ${{ github.event.pull_request.base.sha || github.event.before }}",
            f"MAIN: origin/{wishes.branch}",
        ]
    return ["NOTE: ${{ github.ref_name }} ${{ github.sha }}"] if any("$NOTE" in line for line in step.lines) else []


def _step(step: Step, variables: Sequence[str] = ()) -> list[str]:
    lines = [f"      - name: {step.name}"]
    lines += ["        env:", *(f"          {v}" for v in variables)] if variables else []
    if len(step.lines) == 1:
        return [*lines, f"        run: {step.lines[0]}"]
    return [*lines, "        run: |", *(f"          {line}" for line in step.lines)]


def _cases(wishes: Wishes) -> list[str]:
    place = "/".join([*([wishes.folder] if wishes.folder else []), CASES])
    return [
        "      - name: Keep their results",
        "        if: always()",
        f"        uses: {pins.UPLOAD}",
        "        with:",
        "          name: xde-cases",
        f"          path: {json.dumps(place)}",
        "          if-no-files-found: ignore",
    ]


def _comment(wishes: Wishes) -> list[str]:
    """One comment, which is written anew for each state of the change."""
    mark = f"<!-- xde diff {wishes.folder or '.'} -->"
    mine = f'.[] | select(.user.login == "github-actions[bot]" and (.body | startswith("{mark}"))) | .id'
    lines = (
        f'cat {DIFF} >> "$GITHUB_STEP_SUMMARY"',
        f"{{ echo '{mark}'; cat {DIFF}; }} > xde-comment.md",
        f'if [ -z "$GH_TOKEN" ]; then echo "no token: what would be said stands in {DIFF}"; exit 0; fi',
        'comments="repos/$GITHUB_REPOSITORY/issues/$CHANGE/comments"',
        f"known=$(gh api --paginate \"$comments\" --jq '{mine}' | sed -n 1p)",
        'if [ -n "$known" ]; then',
        '  gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$known" --field body=@xde-comment.md',
        "else",
        '  gh api --silent "$comments" --field body=@xde-comment.md',
        "fi",
    )
    return _step(Step("Say it at the pull request", lines), ["GH_TOKEN: ${{ github.token }}", f"CHANGE: {_NUMBER}"])


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
