"""What tells rows apart whose keys overlap: each predicate is one format's claim to them."""

from __future__ import annotations

from collections.abc import Iterable

Keys = frozenset[str]

CHAT = frozenset(
    ["messages", "conversations", "conversation", "prompt", "instruction", "chosen", "rejected"]
)
LABELS = ("label", "category", "intent", "class")
TAGS = ("tags", "ner_tags", "labels")
TOKENS = ("tokens", "token")
PAIRS = (
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("text_a", "text_b"),
    ("text1", "text2"),
    ("sentence_A", "sentence_B"),
)
SUMMARIES = (
    ("source", "target"),
    ("document", "summary"),
    ("article", "highlights"),
    ("article", "summary"),
    ("dialogue", "summary"),
)
ANCHORS = ("anchor", "query")
POSITIVES = ("positive", "pos")
NEGATIVES = ("negatives", "negative", "neg")
_BODIES = CHAT | {"text", "tokens", "token", "question"}
_RELATIONS = (
    {"head", "tail", "relation"},
    {"h", "t", "relation"},
    {"subj_start", "subj_end", "obj_start", "obj_end", "relation"},
    {"entities", "relations"},
)


def is_preference(keys: Keys) -> bool:
    """A better and a worse answer."""
    return {"chosen", "rejected"} <= keys or {"chosen_messages", "rejected_messages"} <= keys


def is_kto(keys: Keys) -> bool:
    """An answer judged on its own, as LLaMA-Factory marks it."""
    return "kto_tag" in keys and not is_preference(keys)


def is_judged(keys: Keys) -> bool:
    """Answers with a judgement on them."""
    return is_preference(keys) or is_kto(keys)


def is_relation(keys: Keys) -> bool:
    """Entities with what holds between them, beside their text."""
    has_text = "text" in keys or any(name in keys for name in TOKENS)
    return has_text and not keys & CHAT and any(names <= keys for names in _RELATIONS)


def is_tagged(keys: Keys) -> bool:
    """Tokens and their tags."""
    return "tokens" in keys and any(name in keys for name in TAGS) and not is_other_body(keys)


def is_other_body(keys: Keys) -> bool:
    """A chat, relations or a tree, which tokens or a text are only a part of."""
    return bool(keys & CHAT) or is_relation(keys) or "replies" in keys


def is_classification(keys: Keys) -> bool:
    """A text and its class."""
    plain = "text" in keys and not is_other_body(keys) and not is_tagged(keys)
    return plain and any(name in keys for name in LABELS)


def is_squad(keys: Keys) -> bool:
    """Questions about contexts, nested or flat."""
    return (
        {"data", "version"} <= keys
        or {"title", "paragraphs"} <= keys
        or {"context", "qas"} <= keys
        or {"context", "question", "answers"} <= keys
    ) and not keys & CHAT


def is_qa(keys: Keys) -> bool:
    """A question and its answer or answers."""
    answered = "answer" in keys or "answers" in keys
    return "question" in keys and answered and not is_squad(keys) and not keys & (CHAT | {"text"})


def is_pair(keys: Keys) -> bool:
    """Two texts of equal standing, and no other body."""
    return not keys & _BODIES and ("texts" in keys or first_of(keys, PAIRS) is not None)


def is_contrastive(keys: Keys) -> bool:
    """A text and one that is close to it."""
    near = any(name in keys for name in POSITIVES)
    return near and any(name in keys for name in ANCHORS) and not keys & _BODIES


def is_summary(keys: Keys) -> bool:
    """A source and what is made of it, and no other body."""
    return (
        not keys & _BODIES
        and not is_pair(keys)
        and not is_squad(keys)
        and first_of(keys, SUMMARIES) is not None
    )


def first_of(keys: Iterable[str], pairs: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    """The first of `pairs` that is among the keys."""
    return next((pair for pair in pairs if set(pair) <= set(keys)), None)
