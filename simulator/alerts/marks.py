"""The marks of an exercise, and what a text may hold: the words of the safety promise.

Rule of the module: constants and pure checks, in code and not in configuration, so that no file and
no option can change them. Anchor: Hawaii, 13 January 2018, where an exercise could not be told from
an alert for 38 minutes because one call said both "exercise" and "this is not a drill".
"""

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final

JAPANESE_MARK: Final = "【訓練】"
ENGLISH_MARK: Final = "EXERCISE"
NOTE_MARK: Final = f"{JAPANESE_MARK}{ENGLISH_MARK}"

SENDER: Final = "exercise@alertsim.invalid"
SCOPE: Final = "Restricted"
RESTRICTION: Final = "Exercise participants only. 訓練参加者に限る。"
AUDIENCE: Final = "Exercise participants only"

# Controls, surrogates and noncharacters break XML; invisible and direction-changing characters
# could make a marked text look unmarked.
_UNFIT: Final = (
    r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    r"\ufdd0-\ufdef\ufeff\ufff9-\uffff"
)
FIT_LINE: Final = re.compile(f"[^{_UNFIT}]+")
_ELLIPSIS_BYTES: Final = 3
_ESCAPED: Final = MappingProxyType({"&": 5, "<": 4, ">": 4, '"': 2, "\\": 2})
_UNFIT_RUN: Final = re.compile(rf"[{_UNFIT}\s]+")
_DENIAL: Final = re.compile(
    r"\bnot\s+(?:an?\s+|just\s+a\s+)?(?:drill|exercise|test|simulation)\b"
    r"|\bno\s+(?:drill|exercise)\b"
    r"|(?:訓練|演習|試験|テスト)では(?:な|あ)|本番です",
    re.IGNORECASE,
)


def denies_exercise(text: str) -> bool:
    """Whether a text says that this is not an exercise, as the Hawaii call did.

    >>> denies_exercise("EXERCISE: this is not a drill")
    True
    """
    return _DENIAL.search(text) is not None


@lru_cache(maxsize=1024)
def clean(text: str, longest_bytes: int) -> str:
    """A user's text made fit for a message: one line, visible characters, bounded.

    Args:
        text: anything, for example a scenario's title.
        longest_bytes: most bytes that the text may take when encoded, in JSON or in XML,
            whichever takes more; a longer text is cut and ends in an ellipsis.

    Returns:
        The text, or an empty text if it denies the exercise: it is then not repeated at all.
    """
    line = _UNFIT_RUN.sub(" ", text).strip()
    spent = kept = 0
    for position, character in enumerate(line[: longest_bytes + 1], start=1):
        spent += _ESCAPED.get(character) or len(character.encode())
        if spent <= longest_bytes - _ELLIPSIS_BYTES:
            kept = position
    if denies_exercise(line):
        return ""
    if spent > longest_bytes:
        line = f"{line[:kept].rstrip()}…"
    # A cut can end in a word that it did not hold: "no drilling" in "no drill…".
    return "" if denies_exercise(line) else line
