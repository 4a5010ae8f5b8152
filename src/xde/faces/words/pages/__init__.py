"""The pages of the codes, a Markdown file each: what is wrong, why, an example, the example mended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

from xde.ground.errors import UserError
from xde.ground.findings import Finding
from xde.ground.names import did_you_mean

_TITLE = re.compile(r"# (XDE\d{4}): (.+)")
_CODE = re.compile(r"(?:XDE|E)?0*(\d{1,4})\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Page:
    """One page; `text` is what stands below the title."""

    code: str
    title: str
    text: str


def pages() -> list[Page]:
    """Every page, in order of code."""
    files = resources.files(__name__).iterdir()
    return sorted((_read(f.read_text(encoding="utf-8")) for f in files if f.name.endswith(".md")), key=lambda p: p.code)


def page(code: str) -> Page:
    """The page of a code, however it is written: `XDE0204`, `xde204`, `204`."""
    match = _CODE.match(code.strip())
    wanted = f"XDE{int(match[1]):04d}" if match else code
    file = resources.files(__name__) / f"{wanted}.md"
    if match and file.is_file():
        return _read(file.read_text(encoding="utf-8"))
    near = did_you_mean(wanted.upper(), (p.code for p in pages()))
    raise UserError(Finding("XDE0003", f"there is no code `{code}`", hint=near or "`xde explain` lists all codes"))


def _read(text: str) -> Page:
    first, _, rest = text.partition("\n")
    match = _TITLE.match(first)
    if match is None:
        msg = f"a page does not begin with `# XDEnnnn: title` but with `{first}`"
        raise ValueError(msg)
    return Page(match[1], match[2].strip(), rest.strip() + "\n")
