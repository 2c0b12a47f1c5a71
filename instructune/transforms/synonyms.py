"""Adds copies of which some words are synonyms, from a user's lexicon or an installed WordNet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Literal

from instructune.errors import Exit, UserError, usage
from instructune.extras import extra
from instructune.preparing.augmenting import apart, augmented, draws, exact_parts, in_case_of
from instructune.preparing.editing import Edit, replaced
from instructune.preparing.wordlists import Terms, pairs_of
from instructune.records import Record

Place = tuple[int, int, int]  # which text of the record, from, to

_WORD = re.compile(r"[^\W\d_]{3,}")
_ARTICLE = re.compile(r"\b(an?) \Z", re.I)


@dataclass(frozen=True)
class Options:
    """`file`: a term and its synonyms, tab-separated, any language. `rate`: share of the known
    words that are replaced, one at least.
    """

    file: str | None = None
    source: Literal["file", "wordnet"] = "file"
    rate: float = 0.3
    copies: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        where = "--transform synonyms"
        if (self.file is None) == (self.source == "file"):
            raise usage("needs file=LEXICON.tsv or source=wordnet", where=where)
        if not 0 < self.rate <= 1 or self.copies < 1:
            raise usage("rate must be above 0 and at most 1, copies at least 1", where=where)


class Transform:
    """Changes what is asked, never the answer; entities, code and quotations stay."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._spans: Callable[[str], Iterator[tuple[int, int]]]
        self._known: Callable[[str], list[str]]
        if options.file:
            pairs = pairs_of(options.file, "--transform synonyms")
            lexicon: dict[str, list[str]] = {}
            for term, others in pairs:
                lexicon.setdefault(term.casefold(), []).extend(others)
            self._spans = Terms(list(lexicon)).spans
            self._known = lambda word: lexicon.get(word.casefold(), [])
        else:
            self._known = _wordnet()
            self._spans = lambda text: (found.span() for found in _WORD.finditer(text))

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record and its copies."""
        places = self._token_places if "tokens" in record else self._all_places
        found = places(record)
        if not found:
            return [record]

        def make(number: int) -> Record:
            dice = draws(self._options.seed, record, "synonyms", number)
            chosen = dice.sample(found, max(1, round(self._options.rate * len(found))))
            words = {place: dice.choice(self._known(word)) for place, word in sorted(chosen)}
            return self._with(record, words)

        return augmented(record, "synonyms", self._options.copies, make, changes)

    def _token_places(self, record: Record) -> list[tuple[Place, str]]:
        """Tokens outside spans; a synonym of two words would need two tags."""
        tags = record.get("tags") or ["O"] * len(record["tokens"])
        return [
            ((0, i, i + 1), token)
            for i, token in enumerate(record["tokens"])
            if tags[i] == "O" and any(" " not in word for word in self._known(token))
        ]

    def _all_places(self, record: Record) -> list[tuple[Place, str]]:
        held = exact_parts(record)
        found: list[tuple[Place, str]] = []
        numbers = count()

        def look(text: str) -> list[Edit]:
            number = next(numbers)
            spans = apart(self._spans(text), held(text))
            for start, end in spans:
                if self._known(text[start:end]):
                    found.append(((number, start, end), text[start:end]))
            return []

        replaced(record, look, asked=True)
        return found

    def _with(self, record: Record, words: dict[Place, str]) -> Record:
        if "tokens" in record:
            tokens = list(record["tokens"])
            for (_, i, _), word in words.items():
                if " " not in word:
                    tokens[i] = in_case_of(tokens[i], word)
            return Record(record | {"tokens": tokens})
        numbers = count()

        def find(text: str) -> list[Edit]:
            number = next(numbers)
            return [
                _edit(text, start, end, word)
                for (n, start, end), word in words.items()
                if n == number
            ]

        return replaced(record, find, asked=True)


def _edit(text: str, start: int, end: int, new: str) -> Edit:
    """The new word in the old one's case, with the article before it as its sound wants."""
    new = in_case_of(text[start:end], new)
    article = _ARTICLE.search(text[max(start - 4, 0) : start])
    if article and new.isascii():
        vowel = new[:1].lower() in "aeiou"
        if vowel != (len(article[1]) == 2):
            return Edit(start - len(article[0]), end, f"{article[1][0]}{'n' * vowel} {new}")
    return Edit(start, end, new)


def _wordnet() -> Callable[[str], list[str]]:
    corpus: Any = extra("nltk.corpus", None, "--transform synonyms:source=wordnet")
    net = corpus.wordnet
    try:
        net.synsets("word")
    except LookupError:
        raise UserError(
            "WordNet's data is not installed",
            where="--transform synonyms:source=wordnet",
            hint="python -m nltk.downloader wordnet",
            code=Exit.UNAVAILABLE,
        ) from None

    @lru_cache(maxsize=100_000)
    def known(word: str) -> list[str]:
        """The other words of the most frequent sense, in the form the word itself has there."""
        base = word.lower()
        senses = net.synsets(base)
        names = senses[0].lemma_names() if senses else []
        if base not in names:  # an inflected form: its synonyms would not be inflected
            return []
        return [name for name in names if name != base and name.isalpha() and name.islower()]

    return known
