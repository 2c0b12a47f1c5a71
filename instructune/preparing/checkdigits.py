"""Numbers that prove themselves: Luhn (cards), GB 11643 (Chinese identity), mod 97 (IBAN)."""

from __future__ import annotations

from datetime import date

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # 2^(17-i) mod 11
_CHECKS = "10X98765432"
_PROVINCES = frozenset(
    [11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46]
    + [50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83]
)

# Characters of an IBAN by country, as in the register that SWIFT keeps for ISO 13616.
_IBAN_LENGTHS = {
    length: frozenset(countries.split())
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
}
IBAN_LENGTHS = {country: length for length, group in _IBAN_LENGTHS.items() for country in group}


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) << (place & 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def card(digits: str) -> bool:
    """Whether a payment card could bear the number: issuer's range, its lengths, Luhn."""
    head, size = int(digits[:4]), len(digits)
    if digits[0] == "4":
        fits = size in (13, 16, 19)
    elif digits[:2] in ("34", "37"):
        fits = size == 15
    elif 5100 <= head <= 5599 or 2221 <= head <= 2720:
        fits = size == 16
    elif digits[:2] in ("36", "38") or 3000 <= head <= 3059:
        fits = size == 14
    elif 3528 <= head <= 3589:
        fits = 16 <= size <= 19
    else:  # UnionPay, Discover and Maestro share what begins with 5 and 6
        fits = 16 <= size <= 19 and (digits[0] == "6" or digits[:2] in ("50", "56", "57", "58"))
    return fits and luhn(digits)


def cn_id(text: str) -> bool:
    """Whether 18 signs are a resident identity number: place, day of birth, check digit."""
    if int(text[:2]) not in _PROVINCES:
        return False
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    total = sum(w * int(digit) for w, digit in zip(_WEIGHTS, text[:17], strict=True))
    return 1850 <= born.year <= 2099 and _CHECKS[total % 11] == text[17].upper()


def iban(text: str) -> bool:
    """Whether an IBAN without blanks has its country's length and leaves 1 modulo 97."""
    if IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(sign, 36)) for sign in text[4:] + text[:4])) % 97 == 1
