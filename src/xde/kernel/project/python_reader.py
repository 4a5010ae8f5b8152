"""A Python model read from its text alone: nothing of a user's is imported or run until a run computes the model."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from xde.ground.digests import digest
from xde.ground.findings import Finding, Severity
from xde.ground.names import did_you_mean, listed, quoted
from xde.ground.spans import Span
from xde.kernel.project.declarations import Kind, ModelDataset
from xde.kernel.project.python_code import RESULT, Form, Given, PythonCode, Setting
from xde.kernel.project.python_meaning import imported, meaning_of
from xde.kernel.project.python_names import Text
from xde.kernel.project.python_words import Words
from xde.kernel.project.requirements import requirement_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xde.kernel.project.contract import Contract, SchemaObject
    from xde.kernel.project.declarations import ModelHead

KINDS = (Kind.TABLE, Kind.INCREMENTAL, Kind.APPEND)
_STREAMS = frozenset({"Iterator", "Iterable", "Generator"})
_OTHER_NAMES = {
    "narwhals.stable.v1.DataFrame": Form.NARWHALS,
    "narwhals.stable.v2.DataFrame": Form.NARWHALS,
    "narwhals.stable.v1.LazyFrame": Form.NARWHALS_LAZY,
    "narwhals.stable.v2.LazyFrame": Form.NARWHALS_LAZY,
    "pyspark.sql.dataframe.DataFrame": Form.SPARK,
    "polars.dataframe.frame.DataFrame": Form.POLARS,
}
_PLAIN = ("bool", "int", "float", "str", "list", "datetime.date", "datetime.datetime")


def read_python_model(
    name: str, path: str, text: str, library: Mapping[str, str], promise: tuple[Contract | None, SchemaObject | None]
) -> tuple[ModelDataset | None, list[Finding]]:
    """The model that a file holds, and what is wrong with it. `library` has the texts of `lib/`; `promise` is what stands beside it."""
    try:
        source = Text(path, text)
    except (SyntaxError, ValueError) as error:
        return None, [_no_python(path, error)]
    reading = _Reading(source)
    function, decorator = reading.function()
    if function is None or decorator is None:
        return None, reading.findings
    words = Words(source, decorator)
    code = reading.code(function, words, library)
    reading.findings += words.findings
    head = words.head
    _check(reading, head, code, decorator)
    contract, table = promise
    names = [c for c, *_ in code.columns] or ([p.name for p in table.properties] if table is not None else [])
    if not names and not words.findings:
        reading.say(
            "XDE0264",
            f"nobody says which columns `{name}` gives",
            reading.name(function),
            "gives what?",
            "a function is not run to find out, and others may read its columns",
            f'write a contract beside it, `{path.removesuffix(".py")}.yaml`, or `@model(columns={{"name": "VARCHAR"}})`',
        )
    if reading.findings:
        return None, reading.findings
    sql = f"SELECT {', '.join(map(quoted, names))} FROM {RESULT}"
    told = head.description or ast.get_docstring(function) or ast.get_docstring(source.tree) or ""
    head = replace(head, description=" ".join(told.split("\n\n")[0].split()))
    # what decides on the digest of a file is all of it, and all of the files of ours that it imports
    return ModelDataset(name, path, sql, function.lineno, head, digest(code.files), contract, table, reading.name(function), None, code), []


class _Reading:
    """One file, and what was found wrong with it so far."""

    def __init__(self, source: Text) -> None:
        self.source = source
        self.findings: list[Finding] = []

    def say(self, code: str, message: str, span: Span, label: str, why: str, hint: str) -> None:
        """Tell of something."""
        self.findings.append(Finding(code, message, span, label, why, hint))

    def function(self) -> tuple[ast.FunctionDef | None, ast.expr | None]:
        """The function that is the model, and its decorator."""
        found = [
            (node, decorator)
            for node in self.source.tree.body
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            for decorator in node.decorator_list
            if self.source.name_of(decorator.func if isinstance(decorator, ast.Call) else decorator) == "xde.models.model"
        ]
        path = self.source.path
        if not found:
            hint = "write `from xde.models import model` and `@model` above the function; what models share belongs into `lib/`"
            why = "no function in it is decorated with `@model`"
            self.findings.append(Finding("XDE0125", f"`{path}` is not read", Span(path), "", why, hint, Severity.WARNING))
            return None, None
        if len(found) > 1:
            second = found[1][0]
            why = "a file is one dataset, and its path is the name of it"
            self.say(
                "XDE0261", f"`{path}` has {len(found)} models in it", self.name(second), "the second", why, "give each a file of its own"
            )
            return None, None
        node, decorator = found[0]
        if isinstance(node, ast.AsyncFunctionDef):
            hint = "write `def`; inside of it `asyncio.run(...)` runs what is asynchronous"
            self.say("XDE0261", f"the model in `{path}` is asynchronous", self.name(node), "`async`", "nobody awaits it", hint)
            return None, None
        return node, decorator

    def name(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Span:
        """Where the name of a function stands."""
        line = self.source.lines[node.lineno - 1]
        column = line.find(node.name, line.find("def")) + 1
        return Span(self.source.path, node.lineno, column, node.lineno, column + len(node.name))

    def code(self, function: ast.FunctionDef, words: Words, library: Mapping[str, str]) -> PythonCode:
        """All that there is to know of the function."""
        given: list[Given] = []
        settings: list[Setting] = []
        every = function.args
        for star in (every.vararg, every.kwarg):
            if star is not None:
                hint = "name each input and each parameter"
                self._parameter(star, f"`*{star.arg}` of `{function.name}` is no input", "what it is given stands in its parameters", hint)
        for argument in (*every.posonlyargs, *every.args, *every.kwonlyargs):
            one = self._given(argument)
            if isinstance(one, Given):
                given.append(one)
            elif one is not None:
                settings.append(one)
        gives = self._form(function.returns)
        if gives is None:
            hint = "write it after the parameters: `-> pl.DataFrame`; known are " + listed([f"`{f.value}`" for f in Form])
            span = self.source.span(function.returns) if function.returns is not None else self.name(function)
            self.say("XDE0263", f"`{function.name}` does not say what it gives back", span, "gives what?", "", hint)
        files = self._files(library)
        return PythonCode(
            function.name,
            tuple(given),
            tuple(settings),
            gives or Form.ARROW,
            tuple((p, t.text) for p, t in files.items()),
            digest(*((p if i else "", meaning_of(t.tree, "" if i else function.name)) for i, (p, t) in enumerate(files.items()))),
            tuple(words.listed("requires")),
            tuple(words.named("columns")),
            words.root.text("memory"),
            words.root.text("timeout"),
        )

    def _files(self, library: Mapping[str, str]) -> dict[str, Text]:
        """The model's own file, and those of `lib/` that it imports, and those that they import."""
        found = {self.source.path: self.source}
        todo = [self.source]
        while todo:
            text = todo.pop()
            for places, node in imported(text.tree, text.path):
                path = next((p for p in places if p in library), None)
                if path is None:
                    near = did_you_mean(places[-1], library) or f"write `{places[-1]}`, or mend the import"
                    why = "what models share is imported from `lib/` beside `xde.yaml`, and is kept with what is deployed"
                    self.say("XDE0269", f"`{text.path}` imports `{places[-1]}`, which is not there", text.span(node), "", why, near)
                elif path not in found:
                    try:
                        found[path] = Text(path, library[path])
                    except (SyntaxError, ValueError) as error:
                        self.findings.append(_no_python(path, error))
                        continue
                    todo.append(found[path])
        own, *others = found
        return {p: found[p] for p in (own, *sorted(others))}

    def _given(self, argument: ast.arg) -> Given | Setting | None:
        source, annotation = self.source, argument.annotation
        if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
            annotation = ast.parse(annotation.value, mode="eval").body if _parses(annotation.value) else None
        if not (isinstance(annotation, ast.Subscript) and source.name_of(annotation.value) in _ANNOTATED):
            form = self._form(annotation) if annotation is not None else None
            if form is not None:
                hint = f'write `{argument.arg}: Annotated[{form.value}, Reads("schema.name")]`'
                self._parameter(argument, f"nobody says which dataset `{argument.arg}` is given", "", hint)
                return None
            return self._setting(argument, annotation)
        parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        form = self._form(parts[0])
        reads = next((p for p in parts[1:] if isinstance(p, ast.Call) and source.name_of(p.func) == "xde.models.Reads"), None)
        if form is None:
            hint = "known are " + listed([f"`{f.value}`" for f in Form])
            self._parameter(argument, f"`{argument.arg}` is annotated with a type that no input has", "", hint)
            return None
        if reads is None:
            hint = f'write `Annotated[{form.value}, Reads("schema.name")]`, with `from xde.models import Reads`'
            self._parameter(argument, f"nobody says which dataset `{argument.arg}` is given", "", hint)
            return None
        return self._reads(argument, form, reads)

    def _setting(self, argument: ast.arg, annotation: ast.expr | None) -> Setting | None:
        kind = self.source.name_of(annotation) if annotation is not None else ""
        if annotation is not None and kind not in _PLAIN:
            hint = 'an input is `Annotated[TYPE, Reads("schema.name")]`; a parameter is ' + listed([f"`{p}`" for p in _PLAIN])
            self._parameter(argument, f"`{argument.arg}` is neither an input nor a parameter", "", hint)
            return None
        return Setting(argument.arg, kind or None, self._argument(argument))

    def _reads(self, argument: ast.arg, form: Form, reads: ast.Call) -> Given | None:
        words = dict(zip(("dataset", "columns", "time"), reads.args, strict=False))
        words |= {k.arg: k.value for k in reads.keywords if k.arg is not None}
        found: dict[str, object] = {}
        for word, value in words.items():
            try:
                found[word] = ast.literal_eval(value)
            except ValueError:
                why = "a project is read without running its Python"
                span = self.source.span(value)
                self.say("XDE0262", f"`{word}` of `Reads` is not written out", span, "has to be run", why, "write the value out")
                return None
        dataset, columns, time = found.get("dataset"), found.get("columns") or (), found.get("time")
        good = isinstance(dataset, str) and isinstance(columns, (list, tuple)) and all(isinstance(c, str) for c in columns)
        if not good or not (time is None or isinstance(time, str)) or set(found) - {"dataset", "columns", "time"}:
            hint = 'write `Reads("schema.name", columns=["a", "b"], time="a")`, of which only the first is needed'
            self.say("XDE0263", "this `Reads` cannot be read", self.source.span(reads), "", "", hint)
            return None
        wanted = [str(c) for c in columns] if isinstance(columns, (list, tuple)) else []
        if wanted and isinstance(time, str) and time not in wanted:
            wanted.append(time)
        time = str(time) if time is not None else None
        return Given(argument.arg, str(dataset), form, tuple(dict.fromkeys(wanted)), time, self.source.span(reads))

    def _form(self, node: ast.expr | None) -> Form | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _parses(node.value):
            node = ast.parse(node.value, mode="eval").body
        if isinstance(node, ast.Subscript):
            name = self.source.name_of(node.value)
            if name.split(".")[-1] in _STREAMS and name.rpartition(".")[0] in {"typing", "collections.abc"}:
                first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
                return Form.BATCHES if self.source.name_of(first) == "pyarrow.RecordBatch" else None
        else:
            name = self.source.name_of(node)
        name = name.replace("pyarrow.lib.", "pyarrow.")
        return next((f for f in Form if f.value == name), _OTHER_NAMES.get(name))

    def _argument(self, argument: ast.arg) -> Span:
        line, column, *_ = self.source.place(argument)
        return Span(self.source.path, line, column, line, column + len(argument.arg))

    def _parameter(self, argument: ast.arg, message: str, why: str, hint: str) -> None:
        self.say("XDE0263", message, self._argument(argument), "this parameter", why, hint)


_ANNOTATED = frozenset({"typing.Annotated", "typing_extensions.Annotated"})


def _parses(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return True


def _check(reading: _Reading, head: ModelHead, code: PythonCode, decorator: ast.expr) -> None:
    """What the words say together."""
    span = reading.source.span(decorator)
    if head.kind not in KINDS:
        why = "a view has no rows of its own, and other kinds are made of a query" if head.kind is Kind.VIEW else "it is made of a query"
        hint = "choose one of " + listed([f"`{k.value}`" for k in KINDS])
        reading.say("XDE0265", f"a Python model cannot be a `{head.kind.value}`", head.spans.get("kind", span), "this kind", why, hint)
    driving = [g for g in code.given if g.time is not None]
    if len(driving) > 1:
        why = "new rows of that one decide which intervals are computed"
        reading.say("XDE0263", "two inputs have a `time`", driving[1].span or span, "the second", why, "keep one of the two")
    if driving and not head.time:
        hint = 'write `@model(kind="incremental", time="COLUMN")`, or leave `time` out of `Reads`'
        why = "`time` of an input says which intervals of the model it reaches, and this model has none"
        reading.say("XDE0265", "`time` of `Reads` needs a model by time", driving[0].span or span, "this input", why, hint)
    if head.batch_intervals and not driving:
        why = "how much there is to divide is asked of the input that has a `time`"
        reading.say("XDE0265", "`batch` needs an input with a `time`", span, "", why, 'write `Reads("schema.name", time="COLUMN")`')
    for text, place in code.requires:
        if requirement_of(text) is None:
            hint = "write a name with bounds of its version, `polars>=1.20,<3`; leave markers and addresses to your lock"
            reading.say("XDE0266", f"`{text}` is no requirement that can be looked up", place, "this one", "", hint)


def _no_python(path: str, error: SyntaxError | ValueError) -> Finding:
    line = (error.lineno or 1) if isinstance(error, SyntaxError) else 1
    column = (error.offset or 1) if isinstance(error, SyntaxError) else 1
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return Finding("XDE0260", f"`{path}` is no Python that can be read", Span(path, line, max(1, column)), "here", said, "mend the line")
