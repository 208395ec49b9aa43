"""The coverage gates of the house: pure rooms 100 % of branches, the whole 90 %.

Run as ``python tests/pure_coverage.py`` after a test run with ``--cov``; exit 1 names the files.
"""

import sys

import coverage

PURE = (
    "simulator/errors.py",
    "simulator/units.py",
    "simulator/thresholds*",
    "simulator/randomness.py",
    "simulator/scenario/*",
    "simulator/world/*",
    "simulator/model/*",
    "simulator/alerts/*",
    "simulator/reach/*",
    "simulator/measure/*",
    "simulator/delivery/pacer.py",
    "simulator/delivery/placement.py",
)


def main() -> int:
    """Print both reports; non-zero when a gate is missed."""
    data = coverage.Coverage()
    data.load()
    whole = data.report(file=sys.stderr, skip_covered=True)
    pure = data.report(include=list(PURE), show_missing=True, skip_covered=True)
    print(f"coverage: whole {whole:.1f} % (gate 90), pure rooms {pure:.2f} % (gate 100)")  # noqa: T201
    return 0 if whole >= 90 and pure >= 100 else 1


if __name__ == "__main__":
    sys.exit(main())
