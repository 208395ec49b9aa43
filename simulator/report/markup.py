"""HTML from values: everything is escaped unless it already is markup.

Rule of the module: text becomes markup only through these functions, so no scenario title, client
name or broker answer can reach a page unescaped.
"""

import html
from collections.abc import Iterable

_VOID = frozenset({"br", "col", "hr", "meta"})


class Markup(str):
    """Text that is already HTML. Only this module and constants make it."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]


def render(child: Child) -> Markup:
    """Children as markup: text escaped, markup kept, lists joined, None left out."""
    if child is None:
        return Markup("")
    if isinstance(child, Markup):
        return child
    if isinstance(child, str | int):
        return Markup(html.escape(str(child)))
    return Markup("".join(render(one) for one in child))


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Markup:
    """One element.

    Args:
        name: the element's name.
        children: text (escaped), markup, or lists of these.
        attributes: ``class_`` for ``class``, ``aria_label`` for ``aria-label``; True for an
            attribute without value, None or False for none.
    """
    parts = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written = key.rstrip("_").replace("_", "-")
        parts.append(written if value is True else f'{written}="{html.escape(str(value))}"')
    opening = f"<{' '.join(parts)}>"
    if name in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{render(children)}</{name}>")


def table(
    caption: str,
    head: Iterable[Child],
    rows: Iterable[Iterable[Child]],
    *,
    numeric: Iterable[int] = (),
    class_: str | None = None,
) -> Markup:
    """A table that a screen reader can follow: a caption, scopes, the first column as row heads.

    Args:
        caption: what the table shows.
        head: column heads.
        rows: cells; the first of each row is its head.
        numeric: indexes of right-aligned columns.
        class_: of the table.
    """
    right = frozenset(numeric)

    def style(index: int) -> str | None:
        return "number" if index in right else None

    heads = [tag("th", cell, scope="col", class_=style(i)) for i, cell in enumerate(head)]
    body = [
        tag(
            "tr",
            [
                tag("td", cell, class_=style(i)) if i else tag("th", cell, scope="row")
                for i, cell in enumerate(row)
            ],
        )
        for row in rows
    ]
    whole = tag(
        "table",
        tag("caption", tag("span", caption)),
        tag("thead", tag("tr", heads)),
        tag("tbody", body),
        class_=class_,
    )
    return tag("div", whole, class_="scroll", tabindex="0", role="region", aria_label=caption)
