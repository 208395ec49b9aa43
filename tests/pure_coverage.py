"""The coverage gates: 100 % of the pure rooms' branches and 90 % of the whole.

Run as ``python tests/pure_coverage.py`` after a test run with ``--cov``; exit 1 names the files.
"""

import sys

import coverage

WHOLE, ROOMS = 90, 100
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
    "simulator/delivery/populations.py",
    "simulator/delivery/absences.py",
    "simulator/delivery/group_words.py",
    "simulator/delivery/room.py",
    "simulator/delivery/capacity.py",
    "simulator/delivery/remedies.py",
    "simulator/run/shards.py",
    "simulator/service/metrics_catalogue.py",
    "simulator/service/metrics_fold.py",
    "simulator/service/retention_rule.py",
)


def main() -> int:
    """Print both reports; non-zero when a gate is missed."""
    data = coverage.Coverage()
    data.load()
    whole = data.report(file=sys.stderr, skip_covered=True)
    pure = data.report(include=list(PURE), show_missing=True, skip_covered=True)
    sys.stdout.write(
        f"coverage: whole {whole:.1f} % (gate {WHOLE}), pure rooms {pure:.2f} % (gate {ROOMS})\n"
    )
    return 0 if whole >= WHOLE and pure >= ROOMS else 1


if __name__ == "__main__":
    sys.exit(main())
