"""Columns that grow: a small table of NumPy arrays with spare room at the end.

Rule of the module: appending costs amortised constant time a row, and a column is always a plain
array, so that the ledger's work stays vectorised.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_FIRST_ROOM: Final = 1_024


class Table:
    """Equally long columns, each with a type and the value of a fresh row.

    Args:
        columns: name to (dtype, value of a fresh row).
    """

    __slots__ = ("_columns", "_fresh", "_length")

    def __init__(self, columns: Mapping[str, tuple[Any, int]]) -> None:
        self._fresh = {name: value for name, (_, value) in columns.items()}
        self._columns = {
            name: np.full(_FIRST_ROOM, value, dtype=dtype)
            for name, (dtype, value) in columns.items()
        }
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """The live part of a column: a view that later growth may leave behind."""
        return self._columns[name][: self._length]

    def extend(self, count: int, **values: Any) -> int:  # noqa: ANN401 - a scalar or an array
        """Append rows.

        Args:
            count: how many.
            **values: column to its value or values in the new rows; others are fresh.

        Returns:
            The index of the first new row.
        """
        first = self._length
        needed = first + count
        for name, column in self._columns.items():
            room = column
            if needed > len(column):
                room = np.full(max(needed, 2 * len(column)), self._fresh[name], dtype=column.dtype)
                room[:first] = column[:first]
                self._columns[name] = room
            if name in values:
                room[first:needed] = values[name]
        self._length = needed
        return first
