"""A wheel as bytes (PEP 427): of the same files always the same, so that its digest says what is in it."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from typing import TYPE_CHECKING

from xde.ground.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP can name
_WHEEL = "Wheel-Version: 1.0\nGenerator: xde\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel of pure Python: `files` by their paths in it, `about` the files of its `dist-info` (METADATA must be one of them)."""

    name: str
    version: str
    files: Mapping[str, bytes]
    about: Mapping[str, str]

    @property
    def stem(self) -> str:
        """The name and version as file names have them."""
        return f"{re.sub(r'[-_.]+', '_', self.name).lower()}-{self.version.replace('-', '_')}"

    @property
    def filename(self) -> str:
        """The name under which pip takes it."""
        return f"{self.stem}-py3-none-any.whl"

    def content(self) -> bytes:
        """The bytes."""
        folder = f"{self.stem}.dist-info"
        about = {f"{folder}/{n}": text.encode() for n, text in {**self.about, "WHEEL": _WHEEL}.items()}
        members = {**dict(sorted(self.files.items())), **dict(sorted(about.items()))}
        record = "".join(f"{_quoted(n)},sha256={_digest(c)},{len(c)}\n" for n, c in members.items())
        members[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for name, content in members.items():
                info = zipfile.ZipInfo(name, _EPOCH)
                info.external_attr = 0o100644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
        return packed.getvalue()


def project_wheel(module: str, title: str, version: str, files: Mapping[str, bytes], requires: Sequence[str]) -> Wheel:
    """The wheel of a project: its definitions as data of a module that runs xde on them."""
    code = {
        f"{module}/__init__.py": f'"""The definitions of {_plain(title)}, for xde."""\n',
        f"{module}/__main__.py": _MAIN,
    }
    metadata = ["Metadata-Version: 2.1", f"Name: {module}", f"Version: {version}", f"Summary: The definitions of {_plain(title)}, for xde"]
    metadata += [f"Requires-Dist: {text}" for text in requires]
    points = f"[console_scripts]\n{module} = {module}.__main__:main\n"
    contents = {**{n: text.encode() for n, text in code.items()}, **{f"{module}/{PROJECT}/{p}": c for p, c in files.items()}}
    return Wheel(module, version, contents, {"METADATA": "\n".join(metadata) + "\n", "entry_points.txt": points})


PROJECT = "project"  # the folder of the definitions in the module
_MAIN = '''\
"""Run xde on the definitions that this package holds."""

import sys

from xde.faces.cli.packaged import run


def main() -> int:
    return run(__package__, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
'''


def _plain(text: str) -> str:
    """A text that can stand in a line of metadata and in a docstring."""
    return re.sub(r"[^\w .,()-]+", " ", text).strip() or "a project"


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
