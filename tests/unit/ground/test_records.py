"""What is defined the cheap way is in every respect what the standard library would have made of it."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import threading
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from functools import cached_property

import pytest

from xde.ground.records import dataclass

FORMS = [{}, {"order": True}, {"frozen": True}, {"slots": True}, {"frozen": True, "slots": True}]


def both(form):
    """One class, made by each of the two."""

    def made(decorator):
        @decorator(**form)
        class Thing:
            """A thing."""

            a: int
            b: str = "x"
            c: list[int] = field(default_factory=list)
            d: int = field(default=7, compare=False, repr=False)
            e: int = field(default=1, init=False)
            f: int = field(default=0, kw_only=True)

        return Thing

    return made(dataclass), made(dataclasses.dataclass)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize(
    ("values", "named"),
    [((1,), {}), ((1, "y"), {"f": 3}), ((), {"a": 1, "c": [2], "d": 0}), ((), {}), ((1, 2, 3, 4, 5), {}), ((1,), {"g": 1})],
)
def test_made_the_same_shown_the_same(form, values, named):
    told = []
    for cls in both(form):
        try:
            thing = cls(*values, **named)
            told.append(
                (repr(thing).rpartition(".<locals>.")[2], asdict(thing), cls.__match_args__, cls.__doc__, [f.name for f in fields(cls)])
            )
        except TypeError as error:
            told.append(str(error).rpartition(".<locals>.")[2])
    assert told[0] == told[1]


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_compared_hashed_and_changed_the_same(form):
    told = []
    for cls in both(form):
        one, same, other = cls(1), cls(1, d=9), cls(2)
        facts = [one == same, one != other, one == 1, one.__eq__(object()), replace(one, a=5).a, copy.deepcopy(one) == one]
        if form.get("order"):
            facts += [one < other, other <= one, one > same, one >= same, sorted([other, one])[0].a]
        for act in (
            lambda one=one: hash(one),
            lambda one=one: setattr(one, "a", 3),
            lambda one=one: delattr(one, "b"),
            lambda one=one: setattr(one, "zz", 3),
        ):
            try:
                act()
                facts.append("done")
            except (TypeError, AttributeError) as error:
                facts.append("refused")
                assert form.get("frozen") or not isinstance(error, FrozenInstanceError)
        told.append(facts)
    assert told[0] == told[1]


@dataclass(frozen=True, slots=True)
class Packed:
    """With slots."""

    a: int
    b: tuple[int, ...] = ()


@dataclass(frozen=True)
class Loose:
    """Without."""

    a: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "a", self.a * 2)

    @cached_property
    def twice(self) -> int:
        return self.a * 2

    def __repr__(self) -> str:
        return "own"


@dataclass
class Empty:
    """Nothing."""


def test_kept_and_brought_back():
    for thing in (Packed(1, (2,)), Loose(3), Empty()):
        assert pickle.loads(pickle.dumps(thing, protocol=5)) == thing
    assert Loose(3).a == 6
    assert (Loose(3).twice, repr(Loose(3))) == (12, "own")
    assert {Packed(1): "x"}[Packed(1)] == "x"
    assert not hasattr(Packed(1), "__dict__")
    match Packed(4):
        case Packed(a):
            assert a == 4


def test_a_class_of_its_own_equality_keeps_it():
    @dataclass(frozen=True)
    class Same:
        """All alike."""

        a: int

        def __eq__(self, other):
            return True

        def __hash__(self):
            return 1

    assert Same(1) == Same(2)
    assert len({Same(1), Same(2)}) == 1


def test_a_thing_that_holds_itself_can_be_shown():
    @dataclass
    class Holder:
        """Holds."""

        held: object = None

    holder = Holder()
    holder.held = holder
    assert repr(holder).endswith("Holder(held=...)")


def test_the_first_of_many_threads():
    @dataclass(frozen=True)
    class Late:
        """Made by all at once."""

        a: int

    ready, made = threading.Barrier(8), []

    def make(number):
        ready.wait()
        made.append(Late(number).a)

    threads = [threading.Thread(target=make, args=(n,)) for n in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(made) == list(range(8))
