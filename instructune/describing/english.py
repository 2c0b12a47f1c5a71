"""English words that tell constraints, standing orders, actions and formats."""

from __future__ import annotations

import re

from instructune.describing.english_cues import CODE, CUES
from instructune.describing.rules import Rules

_I = re.IGNORECASE
CONSTRAINT = re.compile(
    r"(?<!\bi )\b(?:do not|don't|never)\b|\b(?:avoid\w*|without"
    r"|refrain\w*|no more than|at most|at least|fewer than"
    r"|less than|nothing but|exactly|no longer than)\b"
    r"|\b(?:only|solely|just)\s+(?:the|a|an|with|in|use|using|one"
    r"|answer|give|return|output|reply)\b"
    r"|\b(?:the \w+|answer|reply|number|label|name|translation|code"
    r"|using|give|return|output) only\b"
    r"|\b(?:in|with) (?:a|an|the)\s+(?:\w+ ){0,2}(?:format|tone|table|manner|style|list)\b"
    r"|\bformat\b|\bin words (?:a|an|that)\b|\b(?:keep|keeping|leave"
    r"|limit|include|mention|must)\b(?! me)"
    r"|\buse (?:short|simple|only|plain|formal)\b|\bseparated by\b|\bsingle word\b|\bfinish with\b"
    r"|\b(?:list|give|suggest|propose|name|write|recommend|provide)(?: me)? (?:exactly )?"
    r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)\b"
    r"|\bas json\b|\bin json\b|\bnumber them\b|\bin (?:bullet points"
    r"|alphabetical order|lowercase)\b"
    r"|\b(?:so|such) that (?:a|even) \w+ (?:can|could|would)\b|\bsix words\b",
    _I,
)

STANDING = re.compile(
    r"\bfrom now on\b|\bfor the rest of (?:this|our)\b"
    r"|\bin all (?:your|future) (?:replies|answers)\b"
    r"|^(?:please )?always (?:answer|reply|respond)\b",
    _I,
)

ACTION = re.compile(
    r"(?:^|[.!?:,]\s+|\b(?:please|can you|could you"
    r"|to)\s+)(?:please\s+)?(?P<action>(?!i\b|you\b|the\b|a\b|an\b|"
    r"my\b|it\b|this\b|that\b|if\b|and\b|but\b|what\b|who\b|how\b"
    r"|why\b|when\b|where\b|which\b|is\b|are\b|"
    r"do\b|does\b|can\b|please\b|from\b|in\b|on\b|using\b"
    r"|with\b)[a-z]{3,})\s+(?P<object>[^.!?:;\n]{2,80})",
    _I,
)

FORMATS = {
    "json": re.compile(r"\bjson\b", _I),
    "table": re.compile(r"\btable\b", _I),
    "bullet points": re.compile(r"\bbullet", _I),
    "list": re.compile(r"\b(?:number them|numbered|list|one per line|each on a new line)\b", _I),
    "label": re.compile(r"\b(?:label|class|category|single word|yes or no) ?(?:only)?\b", _I),
    "number": re.compile(r"\bnumber only\b|\b(?:only|nothing but) the number\b", _I),
    "code": re.compile(rf"\b(?:function|script|query|code|{CODE})\b", _I),
}

RULES = Rules(CUES, CONSTRAINT, STANDING, ACTION, FORMATS)
