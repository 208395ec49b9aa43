"""Packaged data: the only reader of the shipped ``scenarios/`` and ``config/`` folders.

Rule of the module: names come in, text goes out, whichever way alertsim was installed. A wheel
carries both folders under ``simulator/_shipped/``; an editable install or a checkout has them
beside the package, where ``importlib.resources`` does not look.
"""

from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final

from simulator.errors import InputError, InternalError

_PACKAGE: Final = Path(__file__).resolve().parent
_SUFFIX: Final = ".yaml"


def data_root(package: Path = _PACKAGE) -> Path:
    """The folder that holds ``scenarios/`` and ``config/``: in the wheel, else the checkout.

    Args:
        package: folder of the installed package.

    Raises:
        InternalError: if neither place has both folders; the installation is broken.
    """
    for root in (package / "_shipped", package.parent):
        if (root / "scenarios").is_dir() and (root / "config").is_dir():
            return root
    raise InternalError(f"the scenarios and tables of alertsim are missing beside {package}")


@cache
def _root() -> Path:
    return data_root()


def scenario_names() -> tuple[str, ...]:
    """Names of the shipped scenarios, sorted."""
    return tuple(sorted(path.stem for path in (_root() / "scenarios").glob(f"*{_SUFFIX}")))


def scenario_path(name: str) -> Path:
    """Where a shipped scenario lies.

    Raises:
        InputError: for an unknown name; the remedy suggests the nearest.
    """
    return _shipped_file("scenarios", name, scenario_names(), "scenario")


def chain_names() -> tuple[str, ...]:
    """Names of the shipped chain profiles (``config/chains``), sorted."""
    return tuple(sorted(path.stem for path in (_root() / "config/chains").glob(f"*{_SUFFIX}")))


def chain_path(name: str) -> Path:
    """Where a shipped chain profile lies.

    Raises:
        InputError: for an unknown name; the remedy suggests the nearest.
    """
    return _shipped_file("config/chains", name, chain_names(), "chain profile")


def config_text(name: str) -> str:
    """Text of one file of ``config/``, such as ``prefectures.csv``.

    Raises:
        InternalError: if the file is not shipped; its name is ours, never the user's.
    """
    try:
        return (_root() / "config" / name).read_text(encoding="utf-8")
    except OSError as error:
        raise InternalError(f"the shipped table {name} cannot be read: {error}") from error


def _shipped_file(folder: str, name: str, known: tuple[str, ...], kind: str) -> Path:
    if name in known:
        return _root() / folder / f"{name}{_SUFFIX}"
    near = get_close_matches(name, known, n=1) or [each for each in known if name and name in each]
    remedy = f"did you mean {', '.join(near)}?" if near else f"one of {', '.join(known)}."
    raise InputError(f"unknown {kind}", value=repr(name), remedy=remedy)
