"""How a command ends: the code, and on which stream what is said."""

import json

import pytest

FOUND = (
    "error[XDE0501]: `mean_delay` is null in 3 rows\n  --> xde.yaml:1:1\n   |\n 1 | name: flights\n   | ^^^^ this\n   |\nhint: mend it\n"
)


@pytest.mark.parametrize(
    ("case", "arguments", "code"),
    [
        ("", ["plan"], 0),
        ("", ["run"], 0),
        ("idle", ["run"], 0),
        ("not handed over", ["run"], 1),
        ("idle, not handed over", ["run"], 1),
        ("failed", ["run"], 1),
        ("failed check", ["run"], 3),
        ("data", ["run"], 3),
        ("locked", ["run", "--wait", "5"], 1),
        ("cancelled", ["run"], 130),
        ("interrupted", ["run"], 130),
        ("engine interrupted", ["plan"], 130),
        ("our step", ["run"], 70),
        ("unreadable", ["plan"], 1),
        ("bug", ["plan"], 70),
        ("our bug", ["plan"], 70),
        ("", ["plan", "--no-such"], 2),
        ("", ["lineage"], 2),
        ("", ["rn"], 2),
        ("", ["doctor"], 0),
        ("ill", ["doctor"], 1),
        ("again", ["letters", "replay", "--all"], 3),
        ("", ["letters", "replay", "--all"], 0),
        ("", ["letters", "replay"], 2),
        ("", ["letters", "replay", "3f2a", "--all"], 2),
        ("", ["letters", "discard", "--all"], 2),
        ("", ["letters", "discard", "--all", "--reason", " "], 2),
        ("", ["letters", "show", "3f"], 1),
        ("", ["letters", "show", "ffff"], 1),
        ("", ["letters", "replay", "9c01"], 1),
        ("", ["explain", "XDE9999"], 1),
        ("", ["runs", "r2"], 1),
        ("", ["--version"], 0),
        ("", ["--help"], 0),
    ],
)
def test_the_code(call, case, arguments, code):
    done = call(*arguments, case=case)
    assert done.returncode == code, done.stderr
    assert ("Traceback" in done.stderr) == (code == 70)


def test_findings_stand_on_stderr_and_stdout_stays_empty(call):
    done = call("plan", case="unreadable")
    assert done.stdout == ""
    assert done.stderr == "error[XDE0101]: another\n\n" + FOUND + "\n2 errors\n"


def test_a_machine_gets_findings_as_one_document(call):
    done = call("plan", "--json", case="unreadable")
    assert [f["code"] for f in json.loads(done.stdout)["findings"]] == ["XDE0101", "XDE0501"]
    assert done.stderr == ""
    assert json.loads(call("run", "--json", case="locked").stdout)["findings"][0]["message"] == "another run holds `dev` (waited 0 s)"


def test_a_fault_of_ours_is_called_so(call):
    done = call("plan", case="bug")
    assert "ZeroDivisionError: nobody foresaw this" in done.stderr
    assert "this is a fault of xde 0.1.0, not yours; please report the lines above" in done.stderr
    assert json.loads(call("plan", "--json", case="bug").stdout)["bug"]["message"] == "nobody foresaw this"


def test_cancelled_says_that_nothing_half_done_was_published(call):
    for case in ("interrupted", "cancelled"):
        assert call("run", case=case).stderr.endswith("cancelled; nothing half done was published\n")


def test_wrong_usage_names_the_nearest_command_and_the_place_of_root_options(call):
    assert "No such command 'lineag'. Did you mean 'lineage'?" in call("lineag").stderr
    assert "`--project` stands before the command: xde --project ... COMMAND" in call("run", "--project", "x").stderr


def test_no_project(call, tmp_path):
    done = call("plan", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"error[XDE0001]: no project here: neither `{tmp_path}` nor a folder above it has an `xde.yaml`\n\n"
        "hint: name it: `xde --project flights ...`\n"
    )
    assert call("--project", "nowhere", "plan").stderr == (
        "error[XDE0001]: `nowhere` has no `xde.yaml`\n\nhint: make one with `xde init my_project`, or name one with `xde --project DIR ...`\n"
    )


def test_a_project_is_found_from_below_and_by_name(call, project, tmp_path):
    (project / "models/marts").mkdir(parents=True)
    assert "opened flights None\n" in call("list", cwd=project / "models/marts").stderr
    assert "opened flights prod\n" in call("--project", "flights", "--env", "prod", "list", cwd=tmp_path).stderr
    assert "opened flights test\n" in call("list", cwd=tmp_path, XDE_PROJECT=str(project), XDE_ENV="test").stderr


def test_warnings_of_the_project_are_told_and_can_be_hushed(call):
    assert "warning[XDE0302]: a warning of the project\n" in call("list", case="warned").stderr
    assert "XDE0302" not in call("-q", "list", case="warned").stderr
    assert "XDE0302" not in call("list", "--json", case="warned").stderr
