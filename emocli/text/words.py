"""The words of a text as its writer means them: emoticons, emoji and punctuation are words too."""

import re
import unicodedata
from collections.abc import Iterator

SHOUT = "⇧"
"""Stands before words in capitals, one for all that follow each other."""
LINK, PERSON = "http", "@"
"""What a link and the name of an account become: nobody's feeling is in an address."""
LONGEST = 48
"""Characters of a word; what goes on longer is no word, and is cut into several."""

_ALONE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # kana, Han
_ALONE += "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670"  # of letters in Latin, Hebrew, Arabic
_MARKS += "\u0900-\u0963\u0966-\u0dff"  # Devanagari to Sinhala, whose vowels are no letters to \w
_LETTER = rf"(?:(?![{_ALONE}])[\w{_MARKS}])"
_WORDS = re.compile(
    rf"""
    (?P<link> https?://\S+ | www\.\S+ )
    | (?P<person> @\w+ | (?<!\w)/?u/[\w-]+ )
    | \[[A-Z]+\]  # what was blacked out: [NAME]
    | (?<!\d)[<>]?[:;=]['^o-]?[()\[\]dpo3/\\|*{{}}]{{1,3}}(?!\w)  # :-) and its kind
    | (?<!\w)(?: xd{{1,3}} | </?3{{1,3}} | [;^>o-][_.]{{1,3}}[;^<o-] )(?!\w)
    | (?P<letters> {_LETTER}{{1,{LONGEST}}} (?:'{_LETTER}{{1,{LONGEST}}}){{0,3}} )
    | [!?]{{1,6}} | \.{{2,3}} | [\U0001f1e6-\U0001f1ff]{{2}}  # cries, pauses, flags
    | \S
    """,
    re.VERBOSE | re.IGNORECASE,
)
_TOGETHER = 1024
_DRAWN_OUT = re.compile(r"(\D)\1{3,}", re.IGNORECASE)
_SAME = str.maketrans(
    dict.fromkeys("‘’ʼ`´", "'") | dict.fromkeys("\u200b\u200c\u200d\ufe0e\ufe0f🏻🏼🏽🏾🏿", None)  # how a sign is shown
)


def words(text: str) -> Iterator[str]:
    """Yield the words of a text in lower case; none of a text without any.

    Letters that are drawn out are three (soooooo is sooo), and where there are no spaces (Chinese, Japanese, Thai)
    each character is a word. Any str will do, halves of surrogates and control characters too.
    """
    plain = _DRAWN_OUT.sub(r"\1\1\1", _normal(text.translate(_SAME)))
    shouting = False
    for found in _WORDS.finditer(plain):
        word, kind = found[0], found.lastgroup
        if kind == "letters" and len(word) > 1:  # of I and A nobody knows
            if word.isupper() and not shouting:
                yield SHOUT
            shouting = word.isupper()
        yield LINK if kind == "link" else PERSON if kind == "person" else word.lower()


def _normal(text: str) -> str:
    """Return a text in NFKC, a stretch at a time: what many marks on one letter take grows by their square."""
    return "".join(unicodedata.normalize("NFKC", text[at : at + _TOGETHER]) for at in range(0, len(text), _TOGETHER))
