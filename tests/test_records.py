"""Frozen classes with shared methods behave as those of the standard library."""

import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from functools import cached_property

import pytest

from rnncast.records import dataclass


def made(decorate):
    """A class with all that ours make use of."""

    @decorate(frozen=True)
    class Point:
        x: float
        y: float = 2.0
        names: list[str] = field(default_factory=list)
        hidden: int = field(default=0, compare=False, repr=False)
        derived: float = field(init=False, default=0.0)

        def __post_init__(self) -> None:
            object.__setattr__(self, "derived", self.x + self.y)

        @cached_property
        def norm(self) -> float:
            return (self.x**2 + self.y**2) ** 0.5

    return Point


@pytest.fixture(params=[dataclasses.dataclass, dataclass], ids=["standard library", "ours"])
def point(request):
    return made(request.param)


def test_values_defaults_and_what_is_derived(point):
    one = point(3.0, y=4.0)
    assert (one.x, one.y, one.names, one.hidden, one.derived, one.norm) == (3.0, 4.0, [], 0, 7.0, 5.0)
    assert point(1.0).names is not point(1.0).names
    assert repr(one).endswith("Point(x=3.0, y=4.0, names=[], derived=7.0)")


@pytest.mark.parametrize(
    "wrong",
    [lambda c: c(), lambda c: c(1, 2, [], 3, 4), lambda c: c(1, x=1), lambda c: c(1, z=1), lambda c: c(1, derived=2)],
    ids=["missing", "too many", "twice", "unknown", "not to be given"],
)
def test_wrong_values_are_refused(point, wrong):
    with pytest.raises(TypeError):
        wrong(point)


def test_nothing_can_be_changed(point):
    one = point(1.0)
    for change in (lambda: setattr(one, "x", 2.0), lambda: setattr(one, "new", 2.0), lambda: delattr(one, "x")):
        with pytest.raises(FrozenInstanceError):
            change()
    assert one.x == 1.0


def test_equality_and_hash(point):
    assert point(1.0, hidden=1) == point(1.0, hidden=2)
    assert point(1.0) != point(2.0)
    assert point(1.0) != (1.0, 2.0, [], 3.0)
    assert point(1.0) != made(dataclass)(1.0)
    with pytest.raises(TypeError):
        hash(point(1.0))  # a list has none


def test_the_functions_of_the_standard_library(point):
    one = point(1.0, names=["a"])
    assert dataclasses.asdict(one) == {"x": 1.0, "y": 2.0, "names": ["a"], "hidden": 0, "derived": 3.0}
    assert dataclasses.replace(one, x=5.0).derived == 7.0
    assert [f.name for f in dataclasses.fields(point)] == ["x", "y", "names", "hidden", "derived"]
    assert dataclasses.is_dataclass(one)


@pytest.mark.parametrize("decorate", [dataclasses.dataclass, dataclass], ids=["standard library", "ours"])
def test_identity_where_equality_is_left_out(decorate):
    @decorate(frozen=True, eq=False)
    class Array:
        values: list[int]

    one, other = Array([1]), Array([1])
    assert one != other and len({one, other}) == 2


@pytest.mark.parametrize("decorate", [dataclasses.dataclass, dataclass], ids=["standard library", "ours"])
def test_hash_of_what_can_be_hashed(decorate):
    @decorate(frozen=True)
    class Name:
        text: str

    @decorate(frozen=True)
    class Longer(Name):
        count: int = 1

    assert {Name("a"): 1}[Name("a")] == 1
    assert Longer("a", 2).text == "a" and Longer("a") == Longer("a", 1) and Longer("a") != Name("a")


@dataclass(frozen=True)
class Kept:
    """One that can be pickled: it stands in a module."""

    x: int
    y: str = "y"


def test_copies_are_equal():
    assert pickle.loads(pickle.dumps(Kept(1))) == Kept(1)


def test_classes_that_are_not_frozen_are_those_of_the_standard_library():
    @dataclass
    class Changing:
        x: int = 1

    one = Changing()
    one.x = 2
    assert one == Changing(2)
