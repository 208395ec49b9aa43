"""The common style of all pictures, in the form that plotly.js reads.

Rule of the module: dictionaries of numbers and text, no plotting library. Colours are roles
(``@alert``), which the page turns into the colours of the reader's light or dark setting. No trace
here can fetch anything.
"""

from typing import Any, Final

Picture = dict[str, Any]

MOST_ROWS: Final = 60
ROW_PX: Final = 30
LEGEND_ROW_PX: Final = 20
FONT: Final = 'system-ui, "Hiragino Sans", "Noto Sans JP", "Noto Sans CJK JP", sans-serif'


def safe(text: str) -> str:
    """Text that plotly.js shows as it is: it reads some HTML in labels."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def axis(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  (plotly's own attributes)
    """An axis in the style of all pictures."""
    base: dict[str, Any] = {
        "gridcolor": "@grid",
        "linecolor": "@line",
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
        "title": {"font": {"size": 13, "color": "@soft"}, "standoff": 10},
        "tickfont": {"size": 12, "color": "@ink"},
    }
    for key, value in changes.items():
        known = base.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            base[key] = {**known, **value}
        else:
            base[key] = value
    return base


def layout(height: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """A layout in the style of all pictures: no background of its own, legend above."""
    return {
        "height": height,
        "margin": {"l": 8, "r": 16, "t": 36, "b": 8, "pad": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": "@ink"},
        "hoverlabel": {
            "align": "left",
            "bgcolor": "@card",
            "bordercolor": "@line",
            "font": {"color": "@ink", "family": FONT},
        },
        "hovermode": "closest",
        "dragmode": False,
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "font": {"color": "@ink"},
            "traceorder": "normal",
            "itemclick": False,
            "itemdoubleclick": False,
        },
        **changes,
    }


def rows_axis(rows: list[str]) -> dict[str, Any]:
    """A vertical axis of named rows, the first on top."""
    return axis(type="category", categoryorder="array", categoryarray=rows, autorange="reversed")


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Attributes with others laid over them, group by group."""
    result = dict(base)
    for key, value in over.items():
        known = base.get(key)
        both = isinstance(known, dict) and isinstance(value, dict)
        result[key] = merged(known or {}, value) if both else value
    return result
