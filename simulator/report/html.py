"""``report.html``: one self-contained page that opens offline.

Rule of the module: markup is made by :mod:`simulator.report.markup`, which escapes; a script runs
only if its digest stands in the page's security policy, which forbids every outside request.
"""

import base64
import hashlib
import re
from importlib.resources import files
from typing import Final

from simulator.report import pieces, sections, words
from simulator.report.first_picture import first_picture
from simulator.report.language import Language, catalogue
from simulator.report.markup import Child, Markup, render, tag
from simulator.report.people import PeopleWarned, warned_people
from simulator.report.sentences import answers
from simulator.report.source import ReportSource
from simulator.report.translated import Translated

TITLE = "【訓練】 EXERCISE"
BANNER = f"{TITLE} · simulated messages only"
_NAMES: Final = {"en": "English", "ja": "日本語"}
_UNIT = re.compile(r"(?<=\d) (?=(?:h|min|s|ms|µs|ns|%)\b)|(?<=\d) (?=%)|(?<=[±=]) | (?==)")
NOTICE = (
    "This is the report of an exercise. Every message in it was simulated; none of them was, or "
    "stands for, a real warning."
)


def page(source: ReportSource, language: Language = "en") -> str:
    """The whole page.

    Args:
        source: the run. At most 1 MB of the page is data; the rest is the plotting library, once.
        language: in which it opens; a switch in the page shows the other.
    """
    people = warned_people(source)
    shown = sections.all_sections(source, people)
    return framed(
        source.timeline.title,
        _alarm(source),
        tag(
            "header",
            [tag("p", notice, class_="notice") for notice in source.notices],
            _heading(source),
            _first_screen(source, people),
            contents(shown),
        ),
        tag("main", [section.markup() for section in shown]),
        tag("footer", tag("p", NOTICE)),
        language=language,
    )


def framed(title: str, *body: Child, language: Language = "en") -> str:
    """A page around its body: the banner, the style, the plotting library, the policy, the switch.

    Args:
        title: of the page, without the mark of the exercise.
        body: header, main and footer, in English.
        language: in which it opens.
    """
    english = render([tag("span", BANNER), body])
    translated = Translated(english, catalogue("ja"))
    titles = {"en": f"{TITLE}: {title}", "ja": f"{TITLE}: {translated.said(title)}"}
    other: Language = "en" if language == "ja" else "ja"
    pairs = translated.pairs
    texts = pairs if language == "en" else {said: text for text, said in pairs.items()}
    library, script = _library(), _asset("report.js")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy([library, script])),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="robots", content="noindex"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", titles[language]),
        tag("style", Markup(_asset("report.css"))),
    )
    shown = english if language == "en" else translated.body
    banner, _, rest = shown.partition("</span>")
    whole = tag(
        "body",
        tag(
            "aside",
            Markup(f"{banner}</span>"),
            _switch(other),
            class_="exercise",
            aria_label=TITLE,
        ),
        Markup(rest),
        pieces.data_block(
            "other-language", {"language": other, "title": titles[other], "texts": texts}
        ),
        # As text, which report.js makes a script of once the first screen can be read.
        Markup(f'<script type="text/plain" id="library">{library}</script>'),
        Markup(f"<script>{script}</script>"),
    )
    return f'<!doctype html>\n<html lang="{language}">{head}{whole}</html>\n'


def _switch(other: Language) -> Markup:
    """The button that shows the page in the other language, named in that language."""
    return tag(
        "button",
        _NAMES[other],
        type="button",
        lang=other,
        data_language_switch=True,
        hidden=True,
    )


def _alarm(source: ReportSource) -> Markup | None:
    """The loud banner of an incomplete run."""
    if not source.incomplete:
        return None
    return tag(
        "div",
        tag("strong", "INCOMPLETE RUN"),
        f"This run did not reach its end: {source.incomplete.rstrip('.')}. Its figures cover only "
        "what was measured until then.",
        class_="alarm",
        role="alert",
    )


def _heading(source: ReportSource) -> list[Markup]:
    timeline, manifest = source.timeline, source.manifest
    facts = [
        f"scenario {timeline.scenario}",
        f"seed {manifest.seed}",
        f"speed {manifest.speed:g}",
        f"run {manifest.run}",
        words.moment(manifest.started),
    ]
    return [
        tag("h1", timeline.title),
        tag("p", " · ".join(fact for fact in facts if fact), class_="meta"),
    ]


def _first_screen(source: ReportSource, people: PeopleWarned | None) -> list[Markup | None]:
    """Three questions and their answers, and one picture of both, before anything else."""
    if source.summary is None:
        only = tag(
            "div",
            tag("h2", "Did it pass?"),
            tag("p", "Not judged", class_="headline"),
            tag("p", f"The run left no summary: {source.incomplete}."),
            class_="answer not-judged",
        )
        return [tag("div", only, class_="first"), _picture(source, people)]
    verdict = source.summary.verdict.outcome
    cards = []
    for number, answer in enumerate(answers(source.summary, people)):
        cards.append(
            tag(
                "div",
                tag("h2", answer.question),
                tag("p", _glued(answer.headline), class_="headline"),
                [tag("p", _glued(sentence)) for sentence in answer.sentences],
                class_="answer" if number else f"answer {verdict}",
            )
        )
    return [tag("div", cards, class_="first"), _picture(source, people)]


def _picture(source: ReportSource, people: PeopleWarned | None) -> Markup | None:
    launches = {alert.launch for alert in source.timeline.alerts if alert.stages}
    caption = (
        "From launch to warning: the simulated stages of the chain, each where it took place."
        if len(launches) <= 1
        else "From launch to warning: a bar for each launch, with the simulated stages of the "
        "chain where they took place."
    )
    if people is not None:
        caption += (
            " Above, people warned by time: modelled, all channels together, on the same clock."
        )
    caption += " Hatched bars are assumptions, not published figures."
    if any(alert.believed_arrival_ns is not None for alert in source.timeline.alerts):
        caption += (
            " The predicted arrival is when the missile was to arrive or to pass overhead, as the "
            "chain believed when it warned."
        )
    return pieces.figure("chain-picture", caption, first_picture(source.timeline, people))


def _glued(sentence: str) -> str:
    """A sentence whose figures keep their units on the same line."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", sentence)


def contents(shown: list[pieces.Section]) -> Markup:
    """Links to the sections."""
    links = [tag("li", tag("a", part.title, href=f"#{part.anchor}")) for part in shown]
    return tag("nav", tag("ol", links), aria_label="Contents")


def _library() -> str:
    """The plotting library as the plotly package ships it, without importing the package's code."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")


def _asset(name: str) -> str:
    return (files("simulator.report") / "assets" / name).read_text(encoding="utf-8")


def _policy(scripts: list[str]) -> str:
    """Nothing may be fetched; only these scripts may run; the library styles what it draws."""
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    return (
        f"default-src 'none'; script-src {digests}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
