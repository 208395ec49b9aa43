"""Write ``report.txt`` again. Read the difference before committing it."""

import importlib.util
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from simulator.report.source import read_source
from simulator.report.text import text_report

HERE = Path(__file__).parent


def loaded(path: Path) -> Any:
    """A module by its path: the tests are no installed package."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


if __name__ == "__main__":
    made_run = loaded(HERE.parent / "unit" / "report" / "made_run.py")
    with TemporaryDirectory() as folder:
        run = made_run.make_run(Path(folder), made_run.Wanted(trouble=True, foreign="paho-1"))
        text = text_report(read_source(run)).replace(str(run), "RUNDIR")
    (HERE / "report.txt").write_text(text, encoding="utf-8")
