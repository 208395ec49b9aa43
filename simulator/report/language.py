"""Reports in other languages: every text of a page through one catalogue.

Rule of the room: texts are written in English where they arise, also those that a summary brings
along; a catalogue (``config/report_texts_ja.toml``) says each of them in its language, and nothing
else does. A form may have slots, whose content is translated in turn:

    "{n} of {n2} threshold(s) met" = "しきい値 {n2} 件のうち {n} 件を満たした"

``{n}``, ``{n2}`` … stand for a number, ``{v}`` … for a figure with its unit, ``{x}`` … for text
without a space, ``{w}`` … for words without a comma and with brackets only at their end,
``{id}`` … for a name that stays as it is, any other slot for any text; ``(s)`` may be missing; of
``[was|were]`` one stands there. What the catalogue does not know stays as it is and is remembered.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Final, Literal

from simulator import resources

Language = Literal["en", "ja"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "ja")

_SLOT: Final = re.compile(r"(?<!%)\{(\w+)\}")  # %{…} is plotly's own
_TOKEN: Final = re.compile(r"(?<!%)\{(\w+)\}|\(s\)|\[([^\[\]|]*(?:\|[^\[\]|]*)+)\]")
_NUMBER: Final = r"(?:[+\-−]|± ?)?\d[\d,]*(?:\.\d+)?"  # noqa: RUF001  (the typographic minus)
_WORD: Final = re.compile(r"(?<![\w./:{%@=-])[A-Za-z][a-z]+(?![\w/:@={<>]|[.-]\w)")
_NO_WORDS: Final = frozenset({"ms", "min", "ns", "ppm", "QoS", "MiB"})
_UNITS: Final = {"h": "時間", "min": "分", "s": "秒"}
_UNIT: Final = re.compile(r"(?<=\d) (h|min|s)(?![\w/])")
_FIGURE_FORM: Final = (
    rf"{_NUMBER}(?: (?:h|min|s|ms|µs|ns|%|ppm|MiB)(?![\w/]))?(?: \d+(?:\.\d+)? (?:min|s)(?![\w/]))*"
)
_FIGURE: Final = re.compile(_FIGURE_FORM)
_CONTENTS: Final = {
    "n": _NUMBER,
    "v": _FIGURE_FORM,
    "x": r"\S+?",
    "id": r"\S+?",
    "w": r"[^,()]+?(?: \([^()]*\))*",
}
_MILLION: Final = re.compile(r"(\d+(?:\.\d+)?) million")
_GLUED: Final = re.compile(r"(?<=\d) (?=[^\W\d]|%)|(?<=[±=]) | (?==)")
_SENTENCES: Final = re.compile(r"(?<=[.!?]) (?=[A-Z\d])")
_OTHERS: Final = re.compile(r"(\d+) more")  # at the end of a list; elsewhere it compares
_FEWEST_LISTED: Final = 2


class _Form:
    """One entry with slots: how it is recognised and what it becomes."""

    __slots__ = ("becomes", "literal", "pattern", "weight")

    def __init__(self, form: str, becomes: str) -> None:
        parts: list[str] = []
        literals: list[str] = []
        end = 0
        for token in _TOKEN.finditer(form):
            literals.append(form[end : token.start()])
            parts.append(re.escape(literals[-1]))
            parts.append(_piece(token))
            end = token.end()
        literals.append(form[end:])
        parts.append(re.escape(literals[-1]))
        self.pattern = re.compile("".join(parts), re.DOTALL)
        self.literal = max(literals, key=len)
        self.weight = sum(map(len, literals))
        self.becomes = becomes


def _piece(token: re.Match[str]) -> str:
    """What stands for a token of a form in its pattern."""
    name, choices = token[1], token[2]
    if name is not None:
        content = _CONTENTS.get(name.rstrip("0123456789"), ".+?")
        return f"(?P<{name}>{content})"
    if choices is not None:
        return f"(?:{'|'.join(map(re.escape, choices.split('|')))})"
    return "s?"


class Catalogue:
    """Says English texts in another language.

    Args:
        forms: English forms and what they become.
        language: which language that is.

    Attributes:
        language: as above.
        unknown: texts that it was asked for and does not know.
    """

    def __init__(self, forms: dict[str, str], language: Language) -> None:
        self.language = language
        self.unknown: dict[str, None] = {}
        bare = {form.removesuffix("."): text.removesuffix("。") for form, text in forms.items()}
        self._exact = {form: text for form, text in bare.items() if not _TOKEN.search(form)}
        slotted = [_Form(form, text) for form, text in bare.items() if form not in self._exact]
        self._forms = sorted(slotted, key=lambda form: -form.weight)
        self._known: dict[str, str] = {}

    def say(self, text: str) -> str:
        """A text in the language of the catalogue, as it stands where that is not known."""
        asked = text.replace("\N{NO-BREAK SPACE}", " ")
        bare = asked.strip()
        if not (bare in self._exact or speaks(bare)):
            return text
        if bare not in self._known:
            found = self._whole(bare)
            if found is None:
                self.unknown[bare] = None
            self._known[bare] = bare if found is None else found
        start = asked.index(bare)
        said = asked[:start] + self._known[bare] + asked[start + len(bare) :]
        return _GLUED.sub("\N{NO-BREAK SPACE}", said) if asked != text else said

    def _whole(self, text: str) -> str | None:
        """A text, or its sentences one by one; None if any of them is unknown."""
        found = self._one(text)
        if found is not None:
            return found
        pieces = _SENTENCES.split(text)
        if len(pieces) <= 1:
            return None
        said = [self._one(piece) for piece in pieces]
        if all(one is None for one in said):
            return None
        return "".join(
            self._kept(piece) if one is None else one
            for piece, one in zip(pieces, said, strict=True)
        )

    def _kept(self, text: str) -> str:
        self.unknown[text] = None
        return text

    def _one(self, text: str) -> str | None:
        """One phrase or sentence, with or without its full stop."""
        found = self._phrase(text.removesuffix("."))
        return f"{found}。" if found is not None and text.endswith(".") else found

    def _phrase(self, text: str) -> str | None:
        for exact in (text, text[:1].lower() + text[1:]):  # a phrase may begin a heading
            if exact in self._exact:
                return self._exact[exact]
        if _FIGURE.fullmatch(text):
            return _UNIT.sub(lambda unit: f" {_UNITS[unit[1]]}", text)
        if million := _MILLION.fullmatch(text):
            return f"{float(million[1]) * 100:g} 万"
        for form in self._forms:
            if form.literal in text and (match := form.pattern.fullmatch(text)):
                slots = {
                    name: value if name.startswith("id") else self._slot(value)
                    for name, value in match.groupdict().items()
                }
                return _filled(form.becomes, slots)
        return self._list(text)

    def _list(self, text: str) -> str | None:
        """Names as a phrase, ``Miyagi, Yamagata and Niigata``, or reasons, ``one; two``."""
        if "; " in text:
            reasons = [self._phrase(reason) for reason in text.split("; ")]
            return "、".join(one for one in reasons if one) if all(reasons) else None
        head, conjunction, last = text.rpartition(" and ")
        names = [*head.split(", "), last] if conjunction else text.split(", ")
        if len(names) < _FEWEST_LISTED:
            return None
        said = [self._phrase(_OTHERS.sub("\\1 others", name)) for name in names]
        return "、".join(one for one in said if one) if all(said) else None

    def _slot(self, text: str) -> str:
        """The content of a slot; names and code stay as they are."""
        if not speaks(text):
            return text
        found = self._whole(text)
        if found is None:
            self.unknown[text] = None
        return text if found is None else found


def _filled(text: str, slots: dict[str, str]) -> str:
    return _SLOT.sub(lambda slot: slots[slot[1]], text)


def speaks(text: str) -> bool:
    """Whether a text has words or units of a language, not names, code and numbers alone."""
    if _UNIT.search(text):
        return True
    return any(word[0] not in _NO_WORDS for word in _WORD.finditer(text))


@cache
def forms_of(language: Language) -> dict[str, str]:
    """The entries of a language's catalogue, prefectures included."""
    from simulator.world.geography import prefectures  # noqa: PLC0415  (reads its table)

    text = resources.config_text(f"report_texts_{language}.toml")
    found = {place.name_en: place.name_ja for place in prefectures()}
    return found | dict(_entries(tomllib.loads(text)))


def _entries(tables: dict[str, dict[str, str]]) -> Iterator[tuple[str, str]]:
    for entries in tables.values():
        yield from entries.items()


def catalogue(language: Language) -> Catalogue:
    """A catalogue of a language, with nothing remembered yet."""
    return Catalogue(forms_of(language), language)
