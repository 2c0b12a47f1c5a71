"""Personal data in a text: addresses, numbers and secrets, by shape, check digit and context."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import NamedTuple

from instructune.preparing.checkdigits import IBAN_LENGTHS, card, cn_id, iban


class Found(NamedTuple):
    """`text[start:end]` is personal data of a type."""

    start: int
    end: int
    type: str


# A blank look-behind would take Chinese letters for letters, so classes are spelled in ASCII.
_URL = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]{1,20}://"
    r"([^\s/@:<>{}\[\]$\"'`*]*):([^\s/@<>{}$\"'`*]+)@([A-Za-z0-9\[][!#-;=?-_a-z~]*)"
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9_.+%/@-])([A-Za-z0-9_](?:[A-Za-z0-9_.+%'-]{0,62}[A-Za-z0-9_+-])?)@"
    r"((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}(?:[A-Za-z]{2,24}|xn--[a-z0-9-]+))"
    r"(?![A-Za-z0-9_@])(?!:[\w.~-]+/)"
)
_FILES = frozenset(
    [
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "webp",
        "ico",
        "css",
        "js",
        "ts",
        "json",
        "py",
        "md",
        "txt",
        "html",
        "xml",
        "yml",
    ]
)

# Keys by the prefix their vendor gives them. What no prefix tells needs a name before it.
_KEY = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"sk-(?=[A-Za-z_-]{0,60}\d)[A-Za-z0-9_-]{20,200}"  # OpenAI, Anthropic, kin
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS
    r"|(?:LTAI|AKID)(?=[A-Za-z]{0,40}\d)[A-Za-z0-9]{12,40}"  # Alibaba Cloud, Tencent Cloud
    r"|gh[oprsu]_[A-Za-z0-9]{30,255}|github_pat_[A-Za-z0-9_]{22,255}"
    r"|gl(?:pat|rt|dt|soat|cbt)-[A-Za-z0-9_-]{20,}"  # GitLab
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}"  # Slack
    r"|[rs]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{24,}"  # Stripe
    r"|AIza[A-Za-z0-9_-]{33,37}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}"  # Google
    r"|(?:hf|npm|gsk|r8)_[A-Za-z0-9]{30,}|nvapi-[A-Za-z0-9_-]{30,}|xai-[A-Za-z0-9]{30,}"
    r"|pypi-AgE[A-Za-z0-9_-]{40,}|dop_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-f]{32}"
    r"|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}|SK[0-9a-f]{32}|key-[0-9a-f]{32}"
    r"|\d{8,10}:AA[A-Za-z0-9_-]{30,35}"  # Telegram
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{10,}"  # JSON web token
    r")(?![A-Za-z0-9_])"
)
_NAMED_KEY = re.compile(
    r"(?i:api[_ -]?key|access[_ -]?key(?:[_ -]?id)?|secret(?:[_ -]?key)?|auth[_ -]?token"
    r"|access[_ -]?token|bearer|passw(?:or)?d|密钥|令牌|密码)"
    r"[\"']?(?:\s{0,3}[:=：是为]|\sis\b|(?<=r)\s)\s{0,3}[\"']?"
    r"(?=[A-Za-z_/+.-]{0,60}\d)(?=[0-9_/+.-]{0,60}[A-Za-z])([A-Za-z0-9_/+.-]{20,200}={0,2})(?![A-Za-z0-9])"
)
_LONG = re.compile(r"[A-Za-z0-9_.:-]{20}")
_PEM = re.compile(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----.{1,20000}?-----END (?:[A-Z]+ )*PRIVATE KEY-----", re.S
)

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,29}")
_CN_ID = re.compile(r"(?<![A-Za-z0-9.])\d{6}([ -]?)\d{8}\1\d{3}[0-9Xx](?![A-Za-z0-9])")
_CARD = re.compile(
    r"(?<![A-Za-z0-9.+-])(?:\d{13,19}|\d{4}(?:[ -]\d{3,7}){2,3}(?:[ -]\d{1,4})?)(?![A-Za-z0-9]|-\d)"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IPV4 = re.compile(rf"(?<![A-Za-z0-9.])(?:{_OCTET}\.){{3}}{_OCTET}(?![A-Za-z0-9]|[./]\d)")
_IPV6 = re.compile(
    r"(?<![A-Za-z0-9:.])[23Ff][0-9A-Fa-f]{2,3}(?::[0-9A-Fa-f]{0,4}){2,7}(?![A-Za-z0-9:])"
)

_PHONES = re.compile(
    r"(?<![A-Za-z0-9.,+_=*/-])(?:"
    # with a country code
    r"(?P<world>(?:\+|00)[1-9]\d{0,2}(?:[ .-]?\(\d{1,5}\))?(?:[ .-]?\d{1,12}){1,6})"
    # Chinese: mobile, area and number, service
    r"|(?P<cn>1[3-9]\d([ -]?)\d{4}\3\d{4}"
    r"|(?:[(（]0\d{2,3}[)）] ?|0(?:10|2\d|[3-9]\d{2})[ -])[2-9]\d{2,3}[ -]?\d{4}"
    r"|[48]00([ -])\d{3}\4\d{4}|[48]00[ -]\d{4}[ -]\d{3})"
    # North American
    r"|(?P<nanp>(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[ .-]\d{4})"
    # with a trunk 0, in groups
    r"|(?P<trunk>(?:\(0\d{1,4}\)|0\d{1,4})(?:[ /-]\d{2,8}){1,5})"
    # no shape of its own: only after a word that announces it
    r"|(?P<bare>\d[\d -]{5,12}\d)"
    r")(?![A-Za-z0-9_%]|[.,:/*=-]\d)"
)
_DIGITS = re.compile(r"\D+")
# the looks that spare most texts the rules: seven digits for a telephone, ten for the others
_SEVEN = re.compile(r"\d(?:[ ().（）/-]{0,2}\d){6}")
_TEN = re.compile(r"\d(?:[ -]?\d){9}")
_DOTTED = re.compile(r"\d\.\d{1,3}\.\d")
_COLONS = re.compile(r"[0-9A-Fa-f]:[0-9A-Fa-f]{0,4}:")

_NOT_A_PERSON = re.compile(
    r"(?:order|serial|imei|isbn|issn|tracking|batch|invoice|part|ticket|patent|doi|sku|upc"
    r"|订单|单号|编号|流水|序列|货号|批号|发票|书号|型号|学号|工号|考号|税号|条码|代码|邮编"
    r")[^.!?。！？]{0,14}$",
    re.I,
)
_ANNOUNCED = re.compile(
    r"\b(?:(?:tele)?phone|call|dial|ring|tel|mobile|cell|fax|whatsapp|hotline|landline|text|reach)"
    r"(?:[ .:]+(?:me|us|him|her|them|the|my|our|office|desk|number|no|is|was|on|at|to|now|back)\b)"
    r"{0,4}[ .:]*$"
    r"|(?:电话|手机|座机|热线|致电|拨打|拨|打|传真|号码|联系方式|微信)[^\d。！？]{0,6}$",
    re.I,
)
_VERSION = re.compile(
    r"(?:(?<![a-z])(?:version|release|build|update|section|chapter|verses?|paragraph|clause|part|rev|firmware"
    r"|sdk|v|ver)|版本号?|版|第|章节?|固件|升级到|更新到|§)[ .:：,]*(?:of |to |number |no\. ?)?$",
    re.I,
)
_HOST = re.compile(
    r"(?:\bip|address|host|server|ping|dns|地址|服务器|网关|主机)[^.。]{0,20}$", re.I
)


def _urls(text: str) -> Iterator[Found]:
    if "://" not in text or "@" not in text:
        return
    for found in _URL.finditer(text):
        if (found[1].lower(), found[2].lower()) not in _PLACEHOLDERS:
            end = found.start() + len(found[0].rstrip(".,;:!?)"))
            yield Found(found.start(), end, "url_credentials")


_PLACEHOLDERS = {
    (user, word)
    for user in ("user", "username", "login", "name")
    for word in ("pass", "password", "passwd", "pw", "pwd", "secret", "token")
}


def _emails(text: str) -> Iterator[Found]:
    if "@" not in text:
        return
    for found in _EMAIL.finditer(text):
        last = found[2].rpartition(".")[2].lower()
        if last not in _FILES and ".." not in found[1]:
            yield Found(found.start(), found.end(), "email")


def _keys(text: str) -> Iterator[Found]:
    if _LONG.search(text):
        for found in _KEY.finditer(text):
            yield Found(found.start(), found.end(), "api_key")
        for found in _NAMED_KEY.finditer(text):
            yield Found(found.start(1), found.end(1), "api_key")
    if "PRIVATE KEY-----" in text:
        for found in _PEM.finditer(text):
            yield Found(found.start(), found.end(), "api_key")


def _ibans(text: str) -> Iterator[Found]:
    for found in _IBAN.finditer(text):
        size, end = IBAN_LENGTHS.get(found[0][:2], 99), found.start()
        for sign in found[0]:
            end += 1
            size -= sign != " "
            if not size:
                break
        if text[end : end + 1].isascii() and text[end : end + 1].isalnum():
            continue
        if iban(text[found.start() : end].replace(" ", "")):
            yield Found(found.start(), end, "iban")


def _cn_ids(text: str) -> Iterator[Found]:
    for found in _CN_ID.finditer(text):
        if cn_id(found[0].replace(" ", "").replace("-", "")):
            yield Found(found.start(), found.end(), "cn_id")


def _cards(text: str) -> Iterator[Found]:
    for found in _CARD.finditer(text):
        digits = _DIGITS.sub("", found[0])
        if 13 <= len(digits) <= 19 and card(digits) and not _before(_NOT_A_PERSON, text, found):
            yield Found(found.start(), found.end(), "bank_card")


def _addresses(text: str) -> Iterator[Found]:
    if _DOTTED.search(text):
        for found in _IPV4.finditer(text):
            address = IPv4Address(found[0])
            vague = address.is_loopback or address.packed[0] in (0, 255) or address.is_multicast
            small = max(address.packed) < 10 and not _before(_HOST, text, found)
            if not vague and not small and not _before(_VERSION, text, found):
                yield Found(found.start(), found.end(), "ip")
    if _COLONS.search(text):
        for found in _IPV6.finditer(text):
            try:
                IPv6Address(found[0].rstrip(":") if found[0][-2:] != "::" else found[0])
            except AddressValueError:
                continue
            if re.search(r"\d", found[0]):
                size = len(found[0].rstrip(":") if found[0][-2:] != "::" else found[0])
                yield Found(found.start(), found.start() + size, "ip")


def _phones(text: str) -> Iterator[Found]:
    for found in _PHONES.finditer(text):
        kind, number = found.lastgroup, found[0]
        digits = _DIGITS.sub("", number)
        if kind == "world":
            fits = 9 <= len(digits) <= 16 and (number[0] == "+" or digits[2:4] == "86")
        elif kind == "trunk":
            pairs = re.fullmatch(r"0\d(?: \d\d)+", number)
            fits = 9 <= len(digits) <= 12
            if pairs:
                fits = len(digits) == 10 and _before(_ANNOUNCED, text, found)
        elif kind == "bare":
            fits = 7 <= len(digits) <= 11 and _before(_ANNOUNCED, text, found)
        else:
            fits = True
        if fits and not _before(_NOT_A_PERSON, text, found):
            yield Found(found.start(), found.end(), "phone")


def _before(context: re.Pattern[str], text: str, found: re.Match[str]) -> bool:
    """Whether the words right before a match are of a kind."""
    return bool(context.search(text[max(found.start() - 40, 0) : found.start()]))


# In order of trust: what an earlier rule took, no later one takes. Beside each, the digits that
# a text must hold for the rule to find anything.
_RULES: dict[str, tuple[int, Callable[[str], Iterator[Found]]]] = {
    "url_credentials": (0, _urls),
    "api_key": (0, _keys),
    "email": (0, _emails),
    "iban": (10, _ibans),
    "cn_id": (10, _cn_ids),
    "bank_card": (10, _cards),
    "ip": (0, _addresses),
    "phone": (7, _phones),
}
TYPES = tuple(_RULES)


def find(text: str, types: Collection[str] = TYPES) -> list[Found]:
    """Personal data of the given types, in order and apart."""
    taken: list[Found] = []
    digits = (10 if _TEN.search(text) else 7) if _SEVEN.search(text) else 0
    for kind, (least, rule) in _RULES.items():
        if kind in types and digits >= least:
            for one in rule(text):
                if all(one.end <= other.start or one.start >= other.end for other in taken):
                    taken.append(one)
    return sorted(taken)
