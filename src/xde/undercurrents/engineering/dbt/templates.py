"""Jinja carried out in a sandbox: texts and macros, with the place of whatever goes wrong. The only room that knows jinja2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, nodes
from jinja2.environment import Template
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from xde.ground.findings import Finding
from xde.ground.names import did_you_mean
from xde.undercurrents.engineering.dbt.blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import CodeType

    from xde.undercurrents.engineering.dbt.files import Text

DEEPEST = 60
"""Macros that call macros: beyond it they call each other without end."""
_FAILURES = (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, RuntimeError, TemplateError)


class Undecided(Exception):
    """A template asks for what only a warehouse or a person knows."""

    def __init__(self, reason: str, hint: str = "", line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.line = line


class Wrong(Exception):
    """A template that dbt would not accept either."""

    def __init__(self, code: str, message: str, why: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.why = why
        self.hint = hint
        self.path = ""
        self.line = 0


class Returned(Exception):
    """What `return(...)` in a macro gives, on its way out."""

    def __init__(self, value: object) -> None:
        super().__init__("return")
        self.value = value


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro's text: the package it is of, its name, its file and the text to compile, with its lines where they were."""

    package: str
    name: str
    path: str
    text: str


@dataclass(slots=True)
class Templates:
    """The macros of a project and of the packages beside it; each text is compiled once."""

    macros: dict[tuple[str, str], Macro] = field(default_factory=dict)
    findings: list[tuple[str, int, str]] = field(default_factory=list)
    _environment: SandboxedEnvironment = field(default_factory=lambda: _sandbox())
    _compiled: dict[tuple[str, str], CodeType] = field(default_factory=dict)

    def add(self, package: str, texts: Iterable[Text]) -> None:
        """Take the macros and generic tests of files; those that cannot be compiled are told in `findings` (path, line, words)."""
        for text in texts:
            for block in blocks(text.text):
                if block.kind in {"macro", "test", "data_test"} and block.name:
                    self.macros[package, block.macro] = Macro(package, block.macro, text.path, block.template)
                    try:
                        self._code(block.template, text.path)
                    except Wrong as wrong:
                        self.findings.append((text.path, wrong.line, wrong.message))

    def render(self, text: str, path: str, names: Mapping[str, object]) -> str:
        """The text that a template gives. Raises `Undecided` or `Wrong`, with the line in `path`."""
        return str(self._carried_out(lambda: self._template(text, path, names).render(), path))

    def value(self, text: str, path: str, names: Mapping[str, object]) -> object:
        """What an expression gives; a text without `{{` is itself."""
        return self.render(text, path, names) if "{{" in text or "{%" in text else text

    def call(self, macro: Macro, names: Mapping[str, object], words: tuple[object, ...], named: Mapping[str, object]) -> object:
        """What a macro gives or returns."""
        module = self._template(macro.text, macro.path, names).make_module()
        try:
            return getattr(module, macro.name)(*words, **named)
        except Returned as back:
            return back.value

    def calls(self, text: str, path: str) -> list[tuple[str, int, nodes.Call]]:
        """The calls of plain names in a template, with their lines: `config`, `ref`, `is_incremental` ... Raises `Wrong`."""
        try:
            tree = self._environment.parse(text, path, path)
        except TemplateSyntaxError as error:
            raise _syntax(error, path) from error
        return [(c.node.name, c.lineno, c) for c in tree.find_all(nodes.Call) if isinstance(c.node, nodes.Name)]

    def _carried_out(self, work: Callable[[], object], path: str) -> object:
        try:
            return work()
        except Undecided as undecided:
            undecided.line = undecided.line or _line(undecided, path)
            raise
        except Wrong as wrong:
            wrong.path, wrong.line = wrong.path or path, wrong.line or _line(wrong, path)
            raise
        except Returned as back:
            return back.value
        except RecursionError as error:
            raise _at(_endless("a macro"), path, _line(error, path)) from None
        except UndefinedError as error:
            raise _undefined(error, _line(error, path), [n for _, n in self.macros]) from error
        except (SecurityError, *_FAILURES) as error:
            hint = "write in SQL what it gives"
            raise Undecided(f"the template cannot be carried out here: {_first(error)}", hint, _line(error, path)) from error

    def _template(self, text: str, path: str, names: Mapping[str, object]) -> Template:
        return Template.from_code(self._environment, self._code(text, path), self._environment.make_globals(dict(names)))

    def _code(self, text: str, path: str) -> CodeType:
        if (path, text) not in self._compiled:
            try:
                self._compiled[path, text] = self._environment.compile(text, path, path)
            except TemplateSyntaxError as error:
                raise _syntax(error, path) from error
        return self._compiled[path, text]


@dataclass(slots=True)
class Room:
    """The macros as one rendering sees them: `names` are those of that rendering, which every macro sees too."""

    templates: Templates
    names: dict[str, object] = field(default_factory=dict)
    depth: int = 0

    def macro(self, package: str, name: str) -> Callable[..., object] | None:
        """A macro as something to call; None when there is no such."""
        found = self.templates.macros.get((package, name))
        return None if found is None else Calling(self, found)


class Calling:
    """A macro to call."""

    def __init__(self, room: Room, macro: Macro) -> None:
        self._room = room
        self._macro = macro

    def __call__(self, *words: object, **named: object) -> object:
        room = self._room
        if room.depth >= DEEPEST:
            raise _endless(f"`{self._macro.name}`")
        room.depth += 1
        try:
            return room.templates.call(self._macro, room.names, words, named)
        finally:
            room.depth -= 1


def finding_of(wrong: Wrong, place: Callable[[str, int], Any]) -> Finding:
    """The finding that a template is; `place` makes a span of a path and a line."""
    return Finding(wrong.code, wrong.message, place(wrong.path, wrong.line), "", wrong.why, wrong.hint)


def constant(node: nodes.Node) -> object:
    """What an argument says by itself. Raises `nodes.Impossible` when it does not."""
    return node.as_const()  # type: ignore[attr-defined]  # every expression has it


Impossible = nodes.Impossible


def _sandbox() -> SandboxedEnvironment:
    found = SandboxedEnvironment(
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], undefined=StrictUndefined, keep_trailing_newline=True, cache_size=0
    )
    found.filters |= dict.fromkeys(("as_bool", "as_number", "as_text", "as_native"), _itself)
    return found


def _itself(value: object) -> object:
    return value


def _endless(name: str) -> Wrong:
    why = f"more than {DEEPEST} macros stood open at once"
    return Wrong("XDE0178", f"{name} calls itself without end", why, "give it an end, or call the macro that you meant")


def _undefined(error: UndefinedError, line: int, known: Iterable[str]) -> Undecided:
    words = _first(error)
    name = words.split("'")[1] if words.count("'") > 1 else ""
    hint = did_you_mean(name, known) or "define it in a macro of the project, or write in SQL what it gives"
    return Undecided(f"`{name}` is not defined here" if name and words.endswith("is undefined") else words, hint, line)


def _syntax(error: TemplateSyntaxError, path: str) -> Wrong:
    message = (error.message or "it cannot be read").rstrip(".")
    return _at(Wrong("XDE0173", f"the template cannot be read: {message[0].lower()}{message[1:]}"), path, error.lineno)


def _at(wrong: Wrong, path: str, line: int) -> Wrong:
    wrong.path, wrong.line = path, line
    return wrong


def _first(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    return f"{text[0].lower()}{text[1:]}" if isinstance(error, TemplateError) else f"{type(error).__name__}: {text}"


def _line(error: BaseException, path: str) -> int:
    """The line of the template that was carried out when it happened: Jinja gives its own frames the template's lines."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
