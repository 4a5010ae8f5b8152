"""The arguments of one call, checked against the signature of its flow, each by its kind, and made into what the flow is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from xde.ground.names import did_you_mean, listed
from xde.kernel.graph.flows.calls import closing, parts
from xde.kernel.graph.flows.kinds import Column, Columns, Expression, Interval, Name, Relation, Value, Values, mark_of
from xde.kernel.graph.flows.ropes import in_one_line, made
from xde.kernel.graph.flows.signature import ArgumentKind
from xde.kernel.graph.text.reading import Fault, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlglot import exp

    from xde.kernel.graph.flows.ropes import Rope
    from xde.kernel.graph.flows.signature import Argument, Flow
    from xde.kernel.graph.text.reading import Word

ASSIGNS = frozenset({"COLON_EQ", "FARROW"})
NO_NAME = frozenset({"STRING", "NUMBER", "NULL", "TRUE", "FALSE", "PARAMETER", "STAR"})


class Given(NamedTuple):
    """One argument as written: its name if it has one (and the token that is the name), and the tokens of its value."""

    name: str
    named: int
    begin: int
    end: int


class Bound(NamedTuple):
    """What a flow is called with; `places` are where the arguments stand, by name."""

    positional: tuple[object, ...]
    named: dict[str, object]
    places: dict[str, Place]


class Binder:
    """Binds the arguments of one call; what is wrong goes into `faults`, and what was written into `marks`.

    `outer` are the marks of a flow whose own SQL makes the call, with what they stand for: an argument of one flow may go into another.
    """

    def __init__(
        self, source: tuple[str, Sequence[Word]], flow: Flow, relation: Callable[[int, int], Rope | None], outer: Mapping[str, str]
    ) -> None:
        self._sql, self._words = source
        self._flow = flow
        self._relation = relation
        self._outer = outer
        self.faults: list[Fault] = []
        self.marks: list[Rope] = []
        self.texts: dict[str, str] = {}

    def bind(self, opened: int, closed: int, called: Place) -> Bound | None:
        """The arguments between two parentheses; None when anything is wrong with them."""
        given = [self._given(begin, end) for begin, end in parts(self._words, opened + 1, closed)]
        taken: dict[str, Given] = {}
        many: list[Given] = []
        for position, one in enumerate(given):
            self._place(one, position, given, taken, many)
        for argument in self._flow.arguments:
            missing = not many if argument.many else argument.name not in taken
            if argument.required and missing and not self.faults:
                self._missing(argument, called)
        rest = next((a for a in self._flow.arguments if a.many), None)
        positional = tuple(self._value(rest, one) for one in many) if rest is not None else ()
        named = {a.name: self._value(a, taken[a.name]) for a in self._flow.arguments if a.name in taken}
        places = {name: self.place(one.begin, one.end) for name, one in taken.items()}
        if self.faults:
            return None
        if positional:
            before = [a.name for a in self._flow.arguments if a.by_position and not a.many]
            positional = (*(named.pop(n, None) for n in before), *positional)
        return Bound(positional, named, places)

    def place(self, begin: int, end: int) -> Place:
        """The stretch of some tokens."""
        start = self._words[begin].start
        last = self._words[max(begin, end - 1)]
        return Place(start, max(1, last.end + 1 - start))

    def _given(self, begin: int, end: int) -> Given:
        if end - begin >= 2 and self._words[begin + 1].kind in ASSIGNS:
            return Given(self._words[begin].text.lower(), begin, begin + 2, end)
        return Given("", -1, begin, end)

    def _place(self, one: Given, position: int, given: Sequence[Given], taken: dict[str, Given], many: list[Given]) -> None:
        """Find the parameter of an argument."""
        flow = self._flow
        if one.begin >= one.end:
            next_one, before = self._words[one.begin], self._words[one.begin - 1]
            at = Place((next_one if next_one.kind == "COMMA" else before).start, 1)
            self._say("XDE0243", f"gives `{flow.name}` an argument without a value", at, "nothing here", "", "take the comma away")
            return
        if one.name:
            argument = flow.argument(one.name)
            if argument is None:
                known = [a.name for a in flow.arguments if not a.many]
                hint = did_you_mean(one.name, [n for n in known if n not in taken]) or f"it takes {listed([f'`{n}`' for n in known])}"
                message = f"gives `{flow.name}` an argument `{one.name}` that it does not have"
                self._say("XDE0241", message, self.place(one.named, one.named + 1), "no such argument", "", hint)
            elif one.name in taken:
                message = f"gives `{flow.name}` the argument `{one.name}` twice"
                self._say("XDE0244", message, self.place(one.named, one.named + 1), "twice", "", "leave one of them")
            else:
                taken[one.name] = one
            return
        self._by_position(one, position, given, taken, many)

    def _by_position(self, one: Given, position: int, given: Sequence[Given], taken: dict[str, Given], many: list[Given]) -> None:
        flow = self._flow
        free = [a for a in flow.arguments if a.by_position]
        if any(g.name for g in given[:position]):
            message = f"gives `{flow.name}` an argument without a name after one with a name"
            self._say("XDE0244", message, self.place(one.begin, one.end), "no name", "", "write `NAME :=` before it")
        elif position < len(free) and not free[position].many:
            taken[free[position].name] = one
        elif free and free[-1].many:
            many.append(one)
        else:
            others = [a.name for a in flow.arguments if not a.by_position]
            hint = f"write `NAME :=` before it; the names are {listed([f'`{n}`' for n in others])}" if others else "take it away"
            message = f"gives `{flow.name}` more arguments without a name than it takes"
            self._say("XDE0244", message, self.place(one.begin, one.end), "no name", "", hint)

    def _missing(self, argument: Argument, called: Place) -> None:
        flow = self._flow
        kind = f"one of {_words(argument)}" if argument.words else argument.kind.value
        example = f"`{argument.name}`" if argument.by_position else f"`{argument.name} := ...`"
        why = f"`{argument.name}` is {kind}" + (f": {argument.help}" if argument.help else "")
        self._say("XDE0242", f"calls `{flow.name}` without `{argument.name}`", called, "not all is given", why, f"add {example}")

    def _say(self, code: str, message: str, place: Place, label: str, why: str, hint: str) -> None:
        self.faults.append(Fault(code, message, place, label, why, hint))

    def _wrong(self, argument: Argument, one: Given, hint: str, why: str = "") -> None:
        kind = f"one of {_words(argument)}" if argument.words else argument.kind.value
        place = self.place(one.begin, one.end)
        text = self._sql[place.start : place.start + place.length]
        shown = text if len(text) <= 40 and "\n" not in text else f"{text.split(chr(10))[0][:37]}..."
        message = f"gives `{self._flow.name}` no {_bare(argument.kind)} for `{argument.name}`: `{shown}`"
        self._say("XDE0243", message, place, f"not {_short(argument.kind)}", why or f"`{argument.name}` is {kind}", hint)

    def _mark(self, rope: Rope, text: str = "") -> int:
        self.marks.append(rope)
        number = len(self.marks) - 1
        self.texts[mark_of(number)] = text
        return number

    def _value(self, argument: Argument, one: Given) -> object:
        """What the flow is given for one argument; anything where it is wrong."""
        match argument.kind:
            case ArgumentKind.RELATION:
                return self._relation_of(argument, one)
            case ArgumentKind.COLUMN:
                return self._column(argument, one, one.begin, one.end)
            case ArgumentKind.COLUMNS:
                found = [self._column(argument, one, b, e) for b, e in self._items(one)]
                return Columns(tuple(c for c in found if c is not None))
            case ArgumentKind.EXPRESSION:
                return self._expression(argument, one)
            case ArgumentKind.VALUE | ArgumentKind.INTERVAL:
                return self._constant(argument, one, one.begin, one.end)
            case ArgumentKind.VALUES:
                values = [self._constant(argument, one, b, e) for b, e in self._items(one)]
                return Values(tuple(v for v in values if isinstance(v, Value)))
            case ArgumentKind.NAME:
                column = self._column(argument, one, one.begin, one.end)
                return column and Name(column.number, column.text)
            case ArgumentKind.NUMBER | ArgumentKind.TRUTH | ArgumentKind.WORD:
                return self._plain(argument, one)

    def _items(self, one: Given) -> list[tuple[int, int]]:
        """The items of `(a, b)` or `[a, b]`, or the one thing that stands without brackets."""
        first = self._words[one.begin].kind
        if first in ("L_PAREN", "L_BRACKET") and closing(self._words, one.begin, one.end) == one.end - 1:
            return parts(self._words, one.begin + 1, one.end - 1) or [(one.begin, one.end)]
        return [(one.begin, one.end)]

    def _relation_of(self, argument: Argument, one: Given) -> Relation | None:
        rope = self._relation(one.begin, one.end)
        if rope is None:
            first = self._words[one.begin].kind
            hint = (
                "put the query in parentheses"
                if first in ("SELECT", "WITH", "FROM")
                else "write a dataset, a CTE, `(SELECT ...)` or a flow"
            )
            self._wrong(argument, one, hint)
            return None
        names = self._words[one.begin : one.end : 2]
        dots = self._words[one.begin + 1 : one.end : 2]
        text = ".".join(w.text for w in names) if all(w.kind == "DOT" for w in dots) else ""
        text = self._outer.get(text, text)
        return Relation(self._mark(rope, text), text)

    def _column(self, argument: Argument, one: Given, begin: int, end: int) -> Column | None:
        tree = self._tree(begin, end)
        word = self._words[begin] if begin < end else None
        if word is not None and end - begin == 1 and word.kind not in NO_NAME and (word.kind == "IDENTIFIER" or _is_column(tree)):
            text = self._outer.get(word.text, word.text)
            return Column(self._mark(self._quoted(begin, end), text), text)
        last = self._words[end - 1]
        dotted = end - begin >= 3 and self._words[end - 2].kind == "DOT" and last.text.isidentifier()
        if dotted and argument.kind is not ArgumentKind.NAME:
            self._wrong(argument, one, f"write `{last.text}` alone", "an argument names columns of the input, whatever the input is called")
        elif word is not None and word.kind == "STRING" and word.text.isidentifier():
            self._wrong(argument, one, f"write `{word.text}` without quotes")
        else:
            self._wrong(argument, one, "write the name alone, in double quotes if it is no plain word")
        return None

    def _quoted(self, begin: int, end: int) -> Rope:
        """The name in double quotes: a word such as `at` may stand alone in an argument and not everywhere that a flow puts it."""
        rope = in_one_line(self._sql, self._words, begin, end)
        if self._words[begin].kind == "IDENTIFIER" or self._words[begin].text in self._outer:
            return rope
        at = self.place(begin, end)
        return (*made('"', *at), *rope, *made('"', *at))

    def _expression(self, argument: Argument, one: Given) -> Expression | None:
        from sqlglot import exp

        tree = self._tree(one.begin, one.end)
        if tree is None or isinstance(tree, (exp.Alias, exp.Star, exp.Tuple)):
            self._wrong(argument, one, "write one value, such as `amount * 2`")
        elif tree.find(exp.Query) is not None:
            self._wrong(
                argument, one, "join what it reads before: give the flow `(SELECT ... FROM ... JOIN ...)`", "no query can stand in it"
            )
        elif tree.find(exp.AggFunc, exp.Window) is not None:
            self._wrong(
                argument, one, "work it out before: give the flow `(SELECT ... FROM ...)`", "it is worked out for one row at a time"
            )
        else:
            if _is_column(tree) and one.end - one.begin == 1:
                return Expression(self._mark(self._quoted(one.begin, one.end)))
            return Expression(self._mark(self._bracketed(one.begin, one.end, plain=isinstance(tree, (exp.Literal, exp.Boolean)))))
        return None

    def _constant(self, argument: Argument, one: Given, begin: int, end: int) -> Value | Interval | None:
        from sqlglot import exp

        if end - begin == 1 and self._words[begin].text in self._outer:
            text = self._outer[self._words[begin].text]
            number = self._mark(in_one_line(self._sql, self._words, begin, end), text)
            return Interval(number, text) if argument.kind is ArgumentKind.INTERVAL else Value(number, text)
        tree = self._tree(begin, end)
        if argument.kind is ArgumentKind.INTERVAL:
            if isinstance(tree, (exp.Interval, exp.Placeholder, exp.Parameter)):
                text = _shown(self._sql, self._words, begin, end)
                return Interval(self._mark(self._bracketed(begin, end, plain=False), text), text)
            self._wrong(argument, one, "write it as `INTERVAL 30 MINUTES`")
            return None
        if argument.kind is ArgumentKind.VALUES:
            if isinstance(tree, (exp.Literal, exp.Boolean)):
                text = self._words[begin].text
                return Value(self._mark(in_one_line(self._sql, self._words, begin, end), text), text)
            self._wrong(argument, one, "write the constants in brackets: `['a', 'b']`")
            return None
        if tree is None or isinstance(tree, (exp.Alias, exp.Star, exp.Tuple)) or tree.find(exp.Column, exp.Query, exp.AggFunc, exp.Window):
            hint = (
                f"did you mean `${tree.name}`?" if tree is not None and _is_column(tree) else "write a constant, or a parameter as `$name`"
            )
            self._wrong(argument, one, hint)
            return None
        plain = isinstance(tree, (exp.Literal, exp.Boolean))
        text = self._words[begin].text if plain else _shown(self._sql, self._words, begin, end)
        return Value(self._mark(self._bracketed(begin, end, plain=plain), text), text)

    def _plain(self, argument: Argument, one: Given) -> object:
        """A value that the flow itself looks at."""
        word = self._words[one.begin]
        alone = one.end - one.begin == 1
        if argument.kind is ArgumentKind.NUMBER:
            if alone and word.kind == "NUMBER" and word.text.isdigit():
                return int(word.text)
            self._wrong(argument, one, "write digits, such as `3`")
        elif argument.kind is ArgumentKind.TRUTH:
            if alone and word.text.lower() in ("true", "false"):
                return word.text.lower() == "true"
            self._wrong(argument, one, "write `true` or `false`")
        elif alone and word.text.lower() in argument.words:
            return word.text.lower()
        else:
            self._wrong(argument, one, did_you_mean(word.text, argument.words) or f"write one of {_words(argument)}")
        return None

    def _bracketed(self, begin: int, end: int, *, plain: bool) -> Rope:
        rope = in_one_line(self._sql, self._words, begin, end)
        if plain:
            return rope
        at = self.place(begin, end)
        return (*made("(", *at), *rope, *made(")", *at))

    def _tree(self, begin: int, end: int) -> exp.Expr | None:
        from xde.kernel.graph.text.scanning import expression_of

        if begin >= end or any(w.kind == "SEMICOLON" for w in self._words[begin:end]):
            return None
        return expression_of(_shown(self._sql, self._words, begin, end))


def _shown(sql: str, words: Sequence[Word], begin: int, end: int) -> str:
    return "".join(p.text for p in in_one_line(sql, words, begin, end))


def _is_column(tree: exp.Expr | None) -> bool:
    from sqlglot import exp

    return isinstance(tree, exp.Column) and len(tree.parts) == 1 and isinstance(tree.this, exp.Identifier)


def _words(argument: Argument) -> str:
    return listed([f"`{w}`" for w in argument.words])


def _bare(kind: ArgumentKind) -> str:
    text = kind.value
    for article in ("a ", "an ", "one or more "):
        text = text.removeprefix(article)
    return text


def _short(kind: ArgumentKind) -> str:
    match kind:
        case ArgumentKind.VALUE:
            return "a constant"
        case ArgumentKind.NAME:
            return "a name"
        case ArgumentKind.COLUMNS:
            return "columns"
        case ArgumentKind.VALUES:
            return "constants"
        case ArgumentKind.WORD:
            return "one of them"
        case _:
            return kind.value
