"""A pipeline as GitLab runs it: one job at a time for each environment, roles in a cloud by a token of the job's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, assert_never

from xde.undercurrents.engineering.delivery import pins
from xde.undercurrents.engineering.delivery.pipeline import CASES, DIFF, Job, Occasion, Wishes, jobs
from xde.undercurrents.engineering.delivery.stamp import stamped

if TYPE_CHECKING:
    from collections.abc import Sequence

MAKER = "xde ci gitlab"
PATH = ".gitlab-ci.yml"
_STAGES = {Occasion.COMMIT: "test", Occasion.CHANGE: "preview", Occasion.CLOSED: "preview", Occasion.MAIN: "deploy", Occasion.TAG: "deploy"}
_SAME = '$CI_PIPELINE_SOURCE == "merge_request_event" && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID'
_NUMBER = "$CI_MERGE_REQUEST_IID"

# a discussion's note is written by the API, with a token that somebody has made for it: the job's own may not
_COMMENT = """\
python - <<'PY'
import json, os, urllib.request
token = os.environ.get("XDE_GITLAB_TOKEN")
mark = MARK
text = mark + "\\n" + open(PAGE, encoding="utf-8").read()
notes = "{CI_API_V4_URL}/projects/{CI_PROJECT_ID}/merge_requests/{CI_MERGE_REQUEST_IID}/notes".format_map(os.environ)
def ask(method, url, data=None):
    body = None if data is None else json.dumps(data).encode()
    headers = {"PRIVATE-TOKEN": token, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
        return json.load(answer), answer.headers.get("X-Next-Page")
def known():
    page = "1"
    while page:
        found, page = ask("GET", f"{notes}?per_page=100&page={page}")
        for note in found:
            if note["body"].startswith(mark):
                return note["id"]
if not token:
    print("no XDE_GITLAB_TOKEN: what would be said stands in", PAGE)
elif (id := known()) is not None:
    ask("PUT", f"{notes}/{id}", {"body": text})
else:
    ask("POST", notes, {"body": text})
PY"""


def pipeline(wishes: Wishes) -> str:
    """The whole file, with its stamp."""
    parts = [_head(wishes), *(_job(job, wishes) for job in jobs(wishes))]
    return stamped(MAKER, wishes.told(), "\n".join(parts))


def _head(wishes: Wishes) -> str:
    image = pins.image_with_git(wishes.python)
    note = "" if pins.is_pinned(image) else "  # by its name: no digest of it is known to xde"
    told = f"# Set as variables, masked and for their environments only: {', '.join(wishes.references)}."
    return _text(
        [
            "#",
            "# Every commit is tested. A merge request gets an environment of its own and a note on what it does to the data",
            "# (with a variable XDE_GITLAB_TOKEN: a project access token with the scope `api`; without it, a page at the merge request).",
            f"# `{wishes.branch}` is deployed to `{wishes.staging}`, a tag `v*` to `{wishes.production}`.",
            *([told] if wishes.references else []),
            "# Say what you want by options (`xde ci --help`); what a human has changed here is not overwritten.",
            "workflow:",
            "  rules:",
            '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"',
            "    - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS  # the merge request has a pipeline of its own",
            "      when: never",
            "    - if: $CI_COMMIT_BRANCH",
            "    - if: $CI_COMMIT_TAG =~ /^v/",
            "",
            "stages: [test, preview, deploy]",
            "",
            "default:",
            f"  image: {image}{note}",
            "  interruptible: false",
            "  before_script:",
            *([f"    - cd {json.dumps(wishes.folder)}"] if wishes.folder else []),
            *(f"    - {line}" for line in jobs(wishes)[0].steps[0].lines),
            "",
            "variables:",
            '  GIT_DEPTH: "0"  # contracts are compared with what they were',
        ]
    )


def _job(job: Job, wishes: Wishes) -> str:
    role = wishes.roles.get(job.name)
    lines = [f"# {job.why}", f"{job.name}:", f"  stage: {_STAGES[job.occasion]}"]
    lines += ["  needs: []"] if job.occasion is Occasion.CLOSED else []
    lines += _rules(job.occasion, wishes)
    lines += _environment(job, wishes)
    lines += _identity() if role else []
    lines += _variables(job, role, wishes)
    lines += ["  script:", *(_script(_BEFORE) if job.occasion is Occasion.COMMIT else [])]
    lines += _script([_IDENTITY]) if role else []
    for step in job.steps[1:]:
        lines += _script([_main(line, wishes) for line in step.lines])
    if job.occasion is Occasion.CHANGE:
        lines += _comment(wishes)
    return _text(lines + _kept(job, wishes))


_BEFORE = ('BEFORE="${CI_MERGE_REQUEST_DIFF_BASE_SHA:-$CI_COMMIT_BEFORE_SHA}"',)
_IDENTITY = 'printf %s "$AWS_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE"'


def _main(line: str, wishes: Wishes) -> str:
    """The main branch is not fetched here unless somebody asks for it."""
    return line.replace("BEFORE=$MAIN", f"{{ git fetch --quiet origin {wishes.branch} && BEFORE=FETCH_HEAD; }}")


def _script(lines: Sequence[str]) -> list[str]:
    """A line that YAML would read as something else is quoted."""
    return [f"    - {json.dumps(line) if any(mark in line for mark in (': ', ' #', '{', '}')) else line}" for line in lines]


def _rules(occasion: Occasion, wishes: Wishes) -> list[str]:
    changes = [f"      changes: {json.dumps([f'{wishes.folder}/**/*', PATH])}"] if wishes.folder else []
    match occasion:
        case Occasion.COMMIT:
            return ["  rules:", "    - if: $CI_PIPELINE_SOURCE", *changes] if changes else []
        case Occasion.CHANGE:
            return ["  rules:", f"    - if: {_SAME}", *changes]
        case Occasion.CLOSED:
            return [
                "  rules:",
                f"    - if: {_SAME}",
                *changes,
                "      when: manual  # GitLab starts it when the request is closed",
                "      allow_failure: true",
            ]
        case Occasion.MAIN:
            return ["  rules:", f'    - if: $CI_COMMIT_BRANCH == "{wishes.branch}"', *changes]
        case Occasion.TAG:
            return ["  rules:", "    - if: $CI_COMMIT_TAG =~ /^v/"]
        case _:
            assert_never(occasion)


def _environment(job: Job, wishes: Wishes) -> list[str]:
    if not job.environment:
        return []
    preview = job.environment == "preview"
    words = ["xde", *wishes.folder.split("/"), f"mr-{_NUMBER}" if preview else job.environment]
    lines = [f"  resource_group: {'-'.join(w for w in words if w)}  # the next one waits", "  environment:"]
    lines += [f"    name: {f'preview/{_NUMBER}' if preview else job.environment}"]
    lines += ["    on_stop: drop", "    auto_stop_in: 2 weeks"] if job.occasion is Occasion.CHANGE else []
    return lines + (["    action: stop"] if job.occasion is Occasion.CLOSED else [])


def _identity() -> list[str]:
    return ["  id_tokens:", "    AWS_ID_TOKEN:", "      aud: $CI_SERVER_URL"]


def _variables(job: Job, role: str | None, wishes: Wishes) -> list[str]:
    known = [f"    XDE_ENV: mr_{_NUMBER}"] if job.environment == "preview" else []
    known += ["    NOTE: $CI_COMMIT_REF_NAME $CI_COMMIT_SHA"] if job.occasion in {Occasion.MAIN, Occasion.TAG} else []
    if role:
        known += [f"    AWS_ROLE_ARN: {role}", f"    AWS_REGION: {wishes.region}", "    AWS_WEB_IDENTITY_TOKEN_FILE: /tmp/xde-aws-token"]
    return ["  variables:", *known] if known else []


def _comment(wishes: Wishes) -> list[str]:
    mark = f"<!-- xde diff {wishes.folder or '.'} -->"
    text = _COMMENT.replace("MARK", json.dumps(mark)).replace("PAGE", json.dumps(DIFF))
    return ["    - |", *(f"      {line}" for line in text.splitlines())]


def _kept(job: Job, wishes: Wishes) -> list[str]:
    where = f"{wishes.folder}/" if wishes.folder else ""
    if job.occasion is Occasion.COMMIT:
        return ["  artifacts:", "    when: always", "    reports:", f"      junit: {json.dumps(where + CASES)}"]
    if job.occasion is Occasion.CHANGE:
        return ["  artifacts:", "    expose_as: data of the change", f"    paths: {json.dumps([where + DIFF])}"]
    return []


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
