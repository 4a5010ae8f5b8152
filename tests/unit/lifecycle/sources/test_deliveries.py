"""What was delivered beside what is loaded: each content once, in whichever form its digest is known."""

from __future__ import annotations

import itertools
import random

import pytest

from xde.lifecycle.sources.deliveries import compare
from xde.lifecycle.sources.port import FoundFile

FORMS = {"": str.lower, "sha256": lambda content: f"sha256:{content}"}


def digest_of(contents: dict[str, str]):
    """As the disk has it: in the new form, unless another is to be compared with."""
    return lambda file, like: FORMS["" if like and not like.startswith("sha256:") else "sha256"](contents[file.path])


def found(contents: dict[str, str], changed: int = 1) -> list[FoundFile]:
    return [FoundFile(path, f"/{path}", len(content), changed) for path, content in sorted(contents.items())]


@pytest.mark.parametrize("seed", range(50))
def test_no_content_is_new_twice(seed: int) -> None:
    """Deliveries one after another, some files loaded when digests had another form, many of them touched or copied."""
    chance = random.Random(seed)
    contents: dict[str, str] = {}
    loaded: dict[str, dict[str, object]] = {}
    rows: list[str] = []
    for round_, _ in enumerate(range(8)):
        for _ in range(chance.randrange(4)):
            contents.setdefault(f"f{chance.randrange(40)}", chance.choice("ABCDEFGHIJ"))
        told = compare(found(contents, chance.choice((1, 2))), loaded, digest_of(contents))
        assert not told.changed
        assert not told.gone
        for file, digest in told.new:
            rows.append(contents[file.path])
            earlier = chance.random() < 0.3 if round_ < 4 else False  # another program has loaded it, and keeps digests of its own form
            kept = FORMS[""](contents[file.path]) if earlier else digest
            loaded[file.path] = {"size": file.size, "changed_ns": file.changed_ns, "digest": kept}
    assert sorted(rows) == sorted(set(contents.values()))


@pytest.mark.parametrize(("form", "replacing"), list(itertools.product(FORMS, (False, True))))
def test_what_has_changed_is_told_whatever_form_it_is_known_in(form: str, replacing: bool) -> None:
    contents = {"same": "A", "touched": "B", "other": "C"}
    loaded = {n: {"size": 1, "changed_ns": 1 if n == "same" else 0, "digest": FORMS[form](c)} for n, c in contents.items()}
    contents["other"] = "X"
    told = compare(found(contents), loaded, digest_of(contents), replacing=replacing)
    assert ([f.path for f, _ in told.changed], told.new) == (["other"], [])
