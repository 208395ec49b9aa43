"""``make bench``: every benchmark in a process of its own, then docs/benchmarks.md.

Rule of the module: bounded. A benchmark that fails or takes too long ends the whole, and the
document of the last complete run stays.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks import document

_ROOT: Final = Path(__file__).parent.parent
_TIMEOUT_S: Final = {
    "startup": 60,
    "pacing": 150,
    "low_load": 420,
    "swarm": 480,
    "scale": 480,
    "ledger": 30,
    "reach": 90,
    "experiment": 300,
    "service": 900,
    "report": 420,
}


def main() -> None:
    """Run them one after the other."""
    parser = argparse.ArgumentParser(description="Measure the figures of docs/benchmarks.md.")
    parser.add_argument(
        "--small", action="store_true", help="tiny sizes, no document: do the benchmarks work?"
    )
    parser.add_argument(
        "--document", action="store_true", help="only write the document from the last results"
    )
    options = parser.parse_args()
    if not options.document:
        for name in document.ORDER:
            command = [sys.executable, "-m", f"benchmarks.{name}"]
            if options.small:
                command.append("--small")
            subprocess.run(command, check=True, cwd=_ROOT, timeout=_TIMEOUT_S[name])
    if not options.small:
        missing = document.write()
        print("written: docs/benchmarks.md")
        if missing:
            print(f"missing, not measured at full size: {', '.join(missing)}", file=sys.stderr)


if __name__ == "__main__":
    main()
