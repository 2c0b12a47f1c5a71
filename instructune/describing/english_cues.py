"""English words that tell a task, and how much each of them weighs."""

from __future__ import annotations

import re

from instructune.describing.rules import cues
from instructune.preparing.languages import LANGUAGES

_I = re.IGNORECASE
_LANGUAGE = "|".join(name for _, name, _ in LANGUAGES.values())
_MAKE = r"\b(?:write|compose|draft|create|generate|craft|produce|prepare|design|make up|invent)\b"
CODE = (
    r"python|java(?:script)?|typescript|sql|bash|shell|rust|golang|c\+\+|c#|html|css|php|perl|"
    r"kotlin|swift|regex|pandas|numpy"
)
_TEXTS = (
    r"story|stories|poem|haiku|limerick|sonnet|e-?mail|letter|essay|article|blog|post|song|lyrics|"
    r"speech|description|adverti\w*|\bads?\b|slogan|tagline|legend|tale|fable|novel|cover letter|"
    r"resume|proposal|press release|monologue|scene|script|review|report|advert|invitation|toast|"
    r"riddle|joke|rap|template|pitch|itinerary|dialogue|biography|paragraph|copy"
)
_GIVEN = r"(?:this|the|these|following|below)\b"

CUES = cues(
    _I,
    {
        "code": [
            (3, rf"\b(?:in|using|with|of|from|to) (?:\w+ )?(?:{CODE})\b"),
            (5, r"\b(?:website|web page|command line|data structure|syntax error|c\+\+ program)\b"),
            (6, rf"\b(?:{CODE})\b"),
            (
                4,
                r"\b(?:function|subroutine|linked list|binary tree|unit tests?"
                r"|type hints?|docstring)\b",
            ),
            (4, r"\b(?:code|script|program|snippet|regular expression|algorithm|query)\b"),
            (3, r"\b(?:refactor|debug|implement|compile|recursion)\b|\bC\?$"),
            (5, r"*```|^\s*def \w+\(|\bdef \w+\([^)]*\)(?: ->[^:]+)?:|\bfunction \w+\("),
        ],
        "translation": [
            (9, r"\btranslat\w+"),
            (8, rf"\b(?:render|turn|put|convert)\b.*\b(?:in|into|to) (?:\w+ )?(?:{_LANGUAGE})\b"),
            (7, rf"\binto (?:{_LANGUAGE})\b"),
            (8, rf"\b(?:{_LANGUAGE}) (?:version|translation|equivalent|for)\b"),
            (8, r"\bhow (?:do|would) (?:you|i) say\b"),
            (7, rf"*^(?:{_LANGUAGE}): .*\n(?:{_LANGUAGE}): "),
        ],
        "summarisation": [
            (8, r"\bsummari[sz]\w*|\bsummary\b|\bTL;?DR\b|\btl;?dr\b"),
            (7, r"\b(?:gist|condense|recap|boil\b.*\bdown|sum up|in a nutshell|digest)\b"),
            (7, r"\b(?:main|key) (?:points?|ideas?|findings|takeaways|messages?)\b"),
            (6, rf"\bshorten (?:{_GIVEN}|each)|\babstract for\b"),
            (7, r"\b(?:headline|title) (?:of|for|that)\b.*\b(?:story|article|text|news|report)\b"),
            (5, r"\boverview of\b"),
        ],
        "rewriting": [
            (
                7,
                r"\breplace (?:all|every|the)\b.*\b(?:in|with)\b"
                r"|\bgiven a sentence\b.*\b(?:convert|change|make)\b",
            ),
            (8, r"\b(?:rewrit\w+|rephras\w+|paraphras\w+|reword\w*|proofread\w*|restate|polish)\b"),
            (
                7,
                r"\b(?:correct|fix|mend)\b.*\b(?:grammar|spelling|typos?"
                r"|punctuation|sentences?|mistakes|errors)\b",
            ),
            (7, rf"\b(?:simplify|edit|improve|expand|shorten) (?:{_GIVEN})"),
            (
                7,
                r"\bmake (?:this|the|my|it)\b.*\b(?:sound|more|less|shorter|longer"
                r"|polite|formal)\b",
            ),
            (
                7,
                r"\b(?:change|convert|turn|put|transform)\b.*\b(?:tense|voice"
                r"|questions?|speech|person|plural|tone)\b",
            ),
            (7, r"\b(?:combine|merge|join)\b.*\bsentences?\b"),
            (6, rf"\b(?:turn|change) (?:{_GIVEN}).*\b(?:statements?|sentences?)\b"),
        ],
        "extraction": [
            (
                6,
                r"\b(?:identify|list|name|find) the\b.*\b(?:in the following"
                r"|in the given|spoken in|of the given)\b",
            ),
            (6, r"\blink (?:all )?(?:the )?entit\w+"),
            (8, r"\bextract\w*|\bnamed entit\w+|\bpart[- ]of[- ]speech\b"),
            (7, r"\b(?:pick|pull|get|copy|single|take)\b.*\bout\b"),
            (
                6,
                r"\b(?:find|list|identify|locate|highlight|underline"
                r"|mark)\b.{0,30}\b(?:all|every|each|any|the)\b"
                r".*\b(?:mentioned|named|names|dates?|entities|places|numbers?"
                r"|addresses|words? in|used in|from the|in (?:this|the) (?:text"
                r"|recipe|passage|paragraph|sentence))\b",
            ),
            (6, r"\b(?:which|what|who)\b.*\b(?:are|is) (?:mentioned|named|listed)\b"),
            (6, r"\btag (?:every|each|the)\b|\blocate all\b"),
            (
                4,
                r"\b(?:from|out of) (?:the|this)\b.*\b(?:text|message|email"
                r"|abstract|advert|passage|paragraph|complaint|recipe)\b",
            ),
        ],
        "reasoning": [
            (
                7,
                r"\b(?:probability|in total|total (?:cost|number|amount|price)"
                r"|inequality|integers?|remainder)\b",
            ),
            (
                7,
                r"\bconvert\w*\b.*\b(?:measurement|celsius|fahrenheit|km|miles"
                r"|inches|kilometers)\b",
            ),
            (
                6,
                r"\brelationship between [A-Z] and [A-Z]\b|\breasoning steps\b"
                r"|\bmath\w* (?:word )?problem\b",
            ),
            (
                6,
                r"\bsort (?:the|this)\b.*\b(?:list|numbers)\b|\bsolving\b"
                r"|\bovertake\w*\b|\bwhich direction\b",
            ),
            (
                8,
                r"\b(?:solve|calculate|compute|prove|work out|evaluate the"
                r"|simplify the expression|derive)\b",
            ),
            (6, r"\bhow (?:many|much|long|far|old|fast|tall)\b.*\?|\bhow can I measure\b"),
            (
                7,
                r"\bwhat(?:'s| is) (?:the (?:sum|product|area|value|probability"
                r"|remainder|average|perimeter) |[\d(])",
            ),
            (
                7,
                r"\bnext (?:number|term)\b|\bsequence\b|\bequation\b|\bpuzzle\b"
                r"|\bstep[- ]by[- ]step\b",
            ),
            (
                7,
                r"^if (?:all|every|some|no) \w+.*\?|\b(?:who|which) (?:sits?"
                r"|stands?|is) (?:where|in the middle|tallest|oldest)\b",
            ),
            (5, r"\d+\s?%\s+of|\d\s*[-+*/×x]\s*\d"),
            (7, r"*^\s*\d+\s*[-+*/×]\s*\d+\s*=\s*\d+\s*\n"),
            (3, r"\b\d+\b.*\b\d+\b.*\?"),
        ],
        "dialogue": [
            (
                12,
                r"\b(?:pretend|imagine|picture) yourself (?:as|to be)\b"
                r"|\b(?:assume|take on|play) the role\b",
            ),
            (
                12,
                r"\bact as\b|\bsuppose you are (?:a|an|the)\b|\bspeak like\b"
                r"|\bembody the\b|\bstay in character\b",
            ),
            (
                8,
                r"\b(?:role-?play|pretend (?:to be|you)"
                r"|continue the (?:conversation|dialogue|chat)|chat with me"
                r"|talk to me)\b",
            ),
            (
                8,
                r"\b(?:next|your) (?:reply|turn|response) (?:of|in|to)\b"
                r"|\b(?:reply|respond) to (?:the|this|my) (?:\w+ )?(?:guest"
                r"|customer|user|client|message|friend|patient|caller)\b",
            ),
            (
                7,
                r"\b(?:act|respond|reply|answer) as (?:a|an|the|my|if)\b"
                r"|^you are (?:a|an|the|my)\b|\bimagine you are (?:a|an|the)\b",
            ),
            (7, r"\b(?:support chat|customer service agent)\b|\bthe way the\b.*\banswered\b"),
            (7, r"^(?:hi|hello|hey|good (?:morning|evening|afternoon)|thanks|thank you|bye)\b"),
            (
                6,
                r"\bhow are you\b|^(?:i feel|i'm (?:so|feeling)|i am (?:so"
                r"|feeling)|my \w+ (?:died|left|broke up)|i can't stop)\b"
                r"|\bdon't know what to do\b",
            ),
        ],
        "classification": [
            (
                7,
                r"\b(?:identify|verify|find out|see) (?:if|whether)\b"
                r"|\bon a scale (?:of|from)\b|\bor not\b",
            ),
            (
                7,
                r"\b(?:choose|select|pick) (?:a|the) (?:topic|category|label"
                r"|class)\b|\bmultiple[- ]choice\b",
            ),
            (8, r"\b(?:classif\w+|categori[sz]\w+|sentiment|spam|toxicity)\b"),
            (7, r"\b(?:positive|negative)\b.*\b(?:or|negative|neutral)\b|\btrue or false\b"),
            (
                7,
                r"\b(?:decide|determine|tell me|judge|say|check|detect|predict"
                r"|indicate) (?:whether|if)\b",
            ),
            (
                7,
                r"\b(?:which|what) (?:category|class|genre|type|label|team"
                r"|department|topic|emotion)\b",
            ),
            (
                7,
                r"\bidentify the (?:language|intent|tone|sentiment|category|topic"
                r"|emotion|author)\b",
            ),
            (7, r"\b(?:label|assign|sort|group|tag)\b.*\b(?:as|to one|into|to the|with one)\b"),
            (6, r"\b(?:rate|score|grade)\b.*\b(?:from|on a scale|between|out of)\b"),
            (6, r"\bchoose (?:one|yes|from|between)\b|\b(?:yes|no) or (?:no|unclear)\b|\bintent\b"),
            (
                6,
                r"*->\s*(?:complaint|praise|question|positive|negative|neutral"
                r"|spam|sports|politics)\b",
            ),
        ],
        "brainstorming": [
            (
                7,
                r"\bmake a list of\b|\bcoming up with\b"
                r"|\badd (?:\w+ )?to the list\b|\ba phrase (?:that )?i can\b",
            ),
            (
                8,
                r"\b(?:brainstorm\w*|ideas?|come up with|suggest(?:ions?)?"
                r"|recommend(?:ations?)?|propose)\b",
            ),
            (
                7,
                r"\b(?:list|give me|think of|name|find)\b.*\b(?:names|ways|topics"
                r"|things|titles|tips|reasons|questions|options|alternatives|uses"
                r"|hobbies|activities)\b",
            ),
            (
                6,
                r"\bwhat (?:could|can|should|might) (?:i|we|one)\b|\bhow (?:might"
                r"|could|can) (?:a|an|we|i)\b|\bcreative uses\b|\bwhat are some\b",
            ),
        ],
        "writing": [
            (
                7,
                r"\b(?:complete|continue|finish) (?:the|this) (?:paragraph|story"
                r"|text|poem|sentence|essay)\b",
            ),
            (7, r"\b(?:outline|imagery|creative language|catchy|opening paragraph|narrat\w+)\b"),
            (
                6,
                r"\b(?:by )?sending an? e-?mail\b|\breply to (?:the"
                r"|this) e-?mail\b|\b(?:construct|develop|pen)\b",
            ),
            (6, rf"{_MAKE}.*\b(?:{_TEXTS})\b"),
            (
                6,
                rf"\btell (?:me|my|us|a)\b.*\b(?:story|tale|joke)\b"
                rf"|\bcan you write\b|\b(?:{_TEXTS})\b.*\bwrite it\b",
            ),
            (4, rf"{_MAKE}"),
        ],
        "qa": [
            (
                4,
                r"\bdefinition of\b|\bfill in the blanks?\b|\b(?:discuss"
                r"|analy[sz]e|outline|provide insights?)\b",
            ),
            (5, r"\b(?:answer the (?:following |last |next )?question|question:)"),
            (
                4,
                r"\b(?:explain|describe|define|tell me about"
                r"|give me an explanation|explanation of|what does .* mean)\b",
            ),
            (4, r"\b(?:differences?|compare)\b"),
            (
                3,
                r"(?:^|[.!?\n]\s*)(?:what|who|whom|whose|when|where|why|how|which"
                r"|is|are|was|were|do|does|did|can|could|should|will|has"
                r"|have)\b[^.!]*\?",
            ),
            (2, r"\?"),
            (2, r"\b(?:say|tell me|state) (?:how|what|who|when|where|why)\b|\busing only the\b"),
            (3, r"*^Q: "),
        ],
    },
)
