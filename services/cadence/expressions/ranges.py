"""What one word may still be: an interval, a choice of values, null or not. Exact under every narrowing."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from services.cadence.features.registry import Feature

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Domain:
    """`some`: values other than null are left to ask for; `whole`: only whole numbers are; `only`: nothing but these."""

    null: bool
    some: bool = True
    low: float = -math.inf
    low_open: bool = False
    high: float = math.inf
    high_open: bool = False
    only: tuple[Value, ...] | None = None
    never: frozenset[Value] = frozenset()
    whole: bool = False
    number: bool = False

    @property
    def empty(self) -> bool:
        return not self.null and not (self.some and self._inhabited())

    @property
    def free(self) -> bool:
        """Nothing is asked of the word but, perhaps, that it is not null."""
        unbounded = self.low == -math.inf and self.high == math.inf
        return unbounded and self.only is None and not self.never

    def be_null(self) -> "Domain":
        return replace(self, some=False)

    def be_known(self) -> "Domain":
        return replace(self, null=False)

    def narrow(self, op: str, value: Value) -> "Domain":
        """Under a comparison with a constant, which a null never meets."""
        match op:
            case "==":
                return self.among((value,))
            case "!=":
                return self.beside((value,))
            case ">" | ">=":
                return self._above(float(value), is_open=op == ">")
            case _:
                return self._below(float(value), is_open=op == "<")

    def among(self, values: Iterable[Value]) -> "Domain":
        held = tuple(values)
        left = held if self.only is None else tuple(each for each in self.only if each in held)
        return replace(self, null=False, only=left)

    def beside(self, values: Iterable[Value]) -> "Domain":
        return replace(self, null=False, never=self.never.union(values))

    def _above(self, value: float, *, is_open: bool) -> "Domain":
        if self.whole:
            value, is_open = math.floor(value) + 1 if is_open else math.ceil(value), False
        if (value, is_open) <= (self.low, self.low_open):
            return self.be_known()
        return replace(self, null=False, low=value, low_open=is_open)

    def _below(self, value: float, *, is_open: bool) -> "Domain":
        if self.whole:
            value, is_open = math.ceil(value) - 1 if is_open else math.floor(value), False
        if (value, not is_open) >= (self.high, not self.high_open):
            return self.be_known()
        return replace(self, null=False, high=value, high_open=is_open)

    def admits(self, value: Value | None) -> bool:
        if value is None:
            return self.null
        if not self.some or value in self.never or (self.only is not None and value not in self.only):
            return False
        if not self.number:
            return True
        number = float(value)
        if self.whole and not number.is_integer():
            return False
        above = number > self.low or (number == self.low and not self.low_open)
        return above and (number < self.high or (number == self.high and not self.high_open))

    def _inhabited(self) -> bool:
        if self.only is not None:
            return any(self.admits(value) for value in self.only)
        if self.low >= self.high:
            return self.low == self.high and self.admits(self.low)
        if self.whole and math.isfinite(self.high - self.low) and self.high - self.low <= len(self.never):
            return any(self.admits(self.low + step) for step in range(int(self.high - self.low) + 1))
        return True

    @property
    def finite(self) -> bool:
        """Can `samples` list all of it?"""
        return not self.some or self.only is not None

    def samples(self, near: Iterable[Value] = ()) -> tuple[Value | None, ...]:
        """Values it admits: all of a finite one; else its ends, what lies beside them and between, and those `near`."""
        if not self.some or self.only is not None:
            offered: Iterable[Value | None] = self.only or () if self.some else ()
        elif self.number:
            offered = (*near, *self._numbers())
        else:
            offered = (*near, *_texts(self.never))
        found = [each for each in dict.fromkeys(offered) if self.admits(each)]
        return (*found, None) if self.null else tuple(found)

    def _numbers(self) -> Iterator[int | float]:
        ends = [end for end in (self.low, self.high) if math.isfinite(end)]
        stamps = sorted({*ends, *(float(each) for each in self.never if not isinstance(each, str))} or {0.0})
        for stamp in (*stamps, stamps[0] - 1, stamps[-1] + 1):
            yield _tidy(stamp)
        for low, high in pairwise(stamps):
            between = (low + high) / 2
            yield _tidy(math.floor(between) if self.whole else between)
        for stamp in stamps:
            yield _tidy(math.floor(stamp) + 1)
            yield _tidy(math.ceil(stamp) - 1)


def domain(word: Feature) -> Domain:
    """All that a word may be, by its type alone."""
    only: tuple[Value, ...] | None = word.values or None
    if word.kind == "truth":
        only = (True, False)
    return Domain(word.nullable, only=only, whole=word.counts is not None, number=word.kind == "number")


def _tidy(number: float) -> int | float:
    return int(number) if float(number).is_integer() else number


def _texts(never: frozenset[Value]) -> Iterator[str]:
    """Texts beside those excluded: there is always one more."""
    for count in range(len(never) + 1):
        yield "another" + "-" * count
