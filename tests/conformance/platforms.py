"""Two small platforms that carry out pipeline files as GitHub's and GitLab's runners do: the real lines, by bash, in a fresh clone a job.

Expressions, rules, variables and the order of jobs are theirs; what an action does is done here (a clone, a Python on the path). Nothing of
xde is imported: what is tried is the file.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml


@dataclass
class Machine:
    """Where jobs run: `origin` is cloned afresh for each, `python` is the folder of the Python that the platform provides."""

    origin: Path
    folder: Path
    python: Path
    variables: dict[str, str] = field(default_factory=dict)
    number: int = 0

    def clone(self, ref: str) -> Path:
        """A fresh clone at a commit, with all branches and tags as `fetch-depth: 0` has them."""
        self.number += 1
        place = self.folder / f"job{self.number}"
        self.git("clone", "--quiet", str(self.origin), str(place))
        self.git("-C", str(place), "checkout", "--quiet", "--detach", ref)
        return place

    def git(self, *words: str) -> str:
        return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()

    def bash(self, script: str, folder: Path, variables: dict[str, str]) -> Ran:
        """Carry out lines as both platforms do: stop at the first that fails, also inside of a pipe."""
        kept = {
            k: v
            for k, v in os.environ.items()
            if k in {"HOME", "LANG", "TMPDIR"} or k.lower().startswith(("pip_", "http", "https", "no_proxy", "ssl_"))
        }
        path = f"{self.python}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=folder,
            env={**kept, **self.variables, "PATH": path, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        return Ran(script, done.returncode, done.stdout, done.stderr)


@dataclass
class Ran:
    """A script that was carried out."""

    script: str
    code: int
    out: str
    err: str


@dataclass
class Job:
    """A job that ran, in its clone."""

    name: str
    folder: Path
    ran: list[Ran]

    @property
    def well(self) -> bool:
        return all(r.code == 0 for r in self.ran)

    @property
    def said(self) -> str:
        return "\n".join(f"$ {r.script}\n[{r.code}]\n{r.out}{r.err}" for r in self.ran)


# --- GitHub -----------------------------------------------------------------------------------------------------------


def value_of(expression: str, context: dict[str, object]) -> object:
    """An expression of GitHub's, as far as workflows of ours use them."""

    def looked_up(path: str) -> object:
        found: object = context
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    pieces = re.split(r"('(?:[^']|'')*')", expression)
    for i in range(0, len(pieces), 2):
        pieces[i] = pieces[i].replace("&&", " and ").replace("||", " or ")
        pieces[i] = re.sub(r"\b[a-z_]+(?:\.[a-z_A-Z]+)+\b", lambda m: f"looked_up({m[0]!r})", pieces[i])
    calls = {"startsWith": lambda text, start: str(text).startswith(start), "always": lambda: True, "looked_up": looked_up}
    return eval("".join(pieces), {"__builtins__": {}}, calls)  # the file is our own


def filled(text: object, context: dict[str, object]) -> str:
    """A value with its `${{ }}` worked out."""
    return re.sub(r"\$\{\{(.+?)\}\}", lambda m: str(value_of(m[1].strip(), context) or ""), str(text))


def github(path: str, machine: Machine, ref: str, event: dict[str, object]) -> dict[str, Job]:
    """Carry out the jobs of a workflow that an event starts; `event` is the context `github`, without what follows from the place."""
    text = machine.git("-C", str(machine.origin), "show", f"{ref}:{path}")
    workflow = yaml.load(text, yaml.BaseLoader)
    context = {"github": {"repository": "acme/shop", "sha": ref, "token": "", **event}, "secrets": {}}
    jobs: dict[str, Job] = {}
    for name, job in workflow["jobs"].items():
        needed = [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", [])
        if all(n in jobs and jobs[n].well for n in needed) and value_of(job["if"], context):
            jobs[name] = _github_job(name, job, workflow, machine, context)
    return jobs


def _github_job(name, job, workflow, machine, context) -> Job:
    assert workflow["permissions"] == {}, "nothing is allowed that a job does not ask for"
    assert workflow["defaults"]["run"]["shell"] == "bash"
    inside = workflow["defaults"]["run"].get("working-directory", "")
    made, folder = Job(name, machine.folder, []), None
    variables = {k: filled(v, context) for k, v in job.get("env", {}).items()}
    for step in job["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), "by the digest of a commit"
            if step["uses"].startswith("actions/checkout@"):
                ref = filled(step["with"].get("ref", ""), context) or str(context["github"]["sha"])
                made.folder = folder = machine.clone(ref if "/" in ref or len(ref) == 40 else f"origin/{ref}")
            continue
        summary = machine.folder / f"summary-{machine.number}.md"
        own = {k: filled(v, context) for k, v in step.get("env", {}).items()}
        own |= {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_REPOSITORY": "acme/shop"}
        made.ran.append(machine.bash(step["run"], folder / inside, {**variables, **own}))
        if not made.well:
            break
    return made


# --- GitLab -----------------------------------------------------------------------------------------------------------


def holds(rule: str, variables: dict[str, str]) -> bool:
    """A condition of GitLab's rules, as far as pipelines of ours use them."""

    def part(text: str) -> bool:
        sides = re.fullmatch(r"\s*\$(\w+)\s*(?:(==|=~)\s*(.+?))?\s*", text)
        left = variables.get(sides[1], "")
        if sides[2] is None:
            return bool(left)
        if sides[2] == "=~":
            return bool(left) and re.search(sides[3].strip("/"), left) is not None
        return left == (variables.get(sides[3][1:]) if sides[3].startswith("$") else sides[3].strip('"'))

    return all(part(p) for p in rule.split("&&"))


def starts(rules: list[dict[str, str]], variables: dict[str, str]) -> str:
    """What the first rule that holds says: when to start, `never` where none holds."""
    found = next((r for r in rules if holds(r["if"], variables)), None)
    return "never" if found is None else found.get("when", "on_success")


def gitlab(path: str, machine: Machine, ref: str, variables: dict[str, str], *, stopping: bool = False) -> dict[str, Job]:
    """Carry out the jobs of a pipeline; with `stopping` those that end an environment, as GitLab does when a request is closed."""
    pipeline = yaml.load(machine.git("-C", str(machine.origin), "show", f"{ref}:{path}"), yaml.BaseLoader)
    if starts(pipeline["workflow"]["rules"], variables) == "never":
        return {}
    jobs: dict[str, Job] = {}
    for stage in pipeline["stages"]:
        for name, job in pipeline.items():
            if not isinstance(job, dict) or job.get("stage") != stage or not all(j.well for j in jobs.values()):
                continue
            ends = job.get("environment", {}).get("action") == "stop"
            when = starts(job["rules"], variables) if "rules" in job else "on_success"
            if when != "never" and ends == stopping and (not stopping or when == "manual"):
                jobs[name] = _gitlab_job(name, job, pipeline, machine, ref, variables)
    return jobs


def _gitlab_job(name, job, pipeline, machine, ref, variables) -> Job:
    folder = machine.clone(ref)
    own = {
        k: re.sub(r"\$(\w+)", lambda m: variables.get(m[1], ""), v)
        for k, v in {**pipeline["variables"], **job.get("variables", {})}.items()
    }
    lines = [*pipeline["default"]["before_script"], *job["script"]]
    return Job(name, folder, [machine.bash("\n".join(lines), folder, {**variables, **own})])
