"""Texts that an answer names, put where they stand in their source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from instructune.entities.mentions import Mention
from instructune.entities.tagschemes import Span

_MOST = 1000  # places of a text that are looked at
_EDGES = ".,;:!?。，；：！？、\"'“”‘’`*"


class Source:
    """A text without its blanks, in which tokens and characters have the same places.

    Without blanks a text is found however its tokens were put together.
    """

    def __init__(self, text: str, *, listed: bool = False) -> None:
        """`listed`: the text is a list of references, parted by zeros, not what they stand in."""
        self.text, self.listed = squeezed(text), listed

    @classmethod
    def of_list(cls, references: Sequence[Mention]) -> tuple[Source, list[Span]]:
        """A source made of references that have no places, and theirs in it."""
        spans, at = [], 0
        for text, kind in references:
            spans.append(Span(at, at + len(squeezed(text)), kind))
            at = spans[-1].end + 1
        return cls("".join(f"{squeezed(text)}\0" for text, _ in references), listed=True), spans

    def place(self, named: Sequence[Mention], true: Sequence[Span]) -> list[Span]:
        """Each text at the place that suits it best, for an answer in words names none.

        First that of a reference of its type, then of another; then where it overlaps one, then
        where it stands first. A place holds a type once. What stands nowhere gets a place that
        nothing overlaps.
        """
        free, taken = list(dict.fromkeys(true)), set[Span]()
        placed: dict[int, Span] = {}
        for same in (True, False):
            for i, mention in enumerate(named):
                if i in placed:
                    continue
                found = next((s for s in free if self._is(mention, s, same)), None)
                if found:
                    free.remove(found)
                    placed[i] = found._replace(type=mention.type)
                    taken.add(placed[i])
        for i, mention in enumerate(named):
            if i not in placed:
                placed[i] = self._elsewhere(mention, free, taken) or Span(-1 - i, -1 - i, "")
                placed[i] = placed[i]._replace(type=mention.type)
                taken.add(placed[i])
        return [placed[i] for i in range(len(named))]

    def _is(self, mention: Mention, span: Span, same: bool) -> bool:
        if same and mention.type != span.type:
            return False
        return self.text[span.start : span.end] in _spellings(mention.text)

    def _elsewhere(self, mention: Mention, free: list[Span], taken: set[Span]) -> Span | None:
        spots = [
            spot
            for start, end in self._spots(mention.text, free)
            if (spot := Span(start, end, mention.type)) not in taken
        ]

        def ill(spot: Span) -> tuple[bool, bool, int]:
            met = [span for span in free if overlap(span, spot)]
            return not any(s.type == spot.type for s in met), not met, spot.start

        return min(spots, key=ill, default=None)

    def _spots(self, text: str, free: list[Span]) -> Iterator[tuple[int, int]]:
        for spelling in _spellings(text):
            at = self.text.find(spelling) if spelling else -1
            for _ in range(_MOST):
                if at < 0:
                    break
                yield at, at + len(spelling)
                at = self.text.find(spelling, at + 1)
            if self.listed:  # more than the reference, which it holds
                for span in free:
                    if (inner := self.text[span.start : span.end]) and inner in spelling:
                        yield span.start, span.end + (inner != spelling)


def squeezed(text: str) -> str:
    """A text without blanks."""
    return "".join(text.split())


def overlap(a: Span, b: Span) -> int:
    """How many places two spans share."""
    return max(0, min(a.end, b.end) - max(a.start, b.start))


def _spellings(text: str) -> list[str]:
    """The text, and the text without marks around it."""
    bare = squeezed(text)
    stripped = bare.strip(_EDGES)
    return [bare, stripped] if stripped and stripped != bare else [bare]
