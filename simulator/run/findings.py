"""What ``doctor`` found: one record a thing.

Rule of the module: a record and its two forms.
"""

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: ok, note, warning or error (a run cannot work).
        subject: what was looked at.
        text: what was found.
        remedy: what to do about it, empty if nothing.
    """

    level: Level
    subject: str
    text: str
    remedy: str = ""

    def line(self) -> str:
        """For people."""
        text = f"{self.level:<8} {self.subject:<20} {self.text}"
        return f"{text}\n{'':30}remedy: {self.remedy}" if self.remedy else text

    def document(self) -> dict[str, str]:
        """For scripts."""
        return asdict(self)
