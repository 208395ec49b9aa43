import numpy as np

from simulator.measure.columns import Table


def test_a_table_grows_and_keeps_what_it_holds() -> None:
    table = Table({"value": (np.int64, -1), "flag": (np.bool_, 1)})
    assert table.extend(3, value=np.array([1, 2, 3])) == 0
    assert table.extend(5_000, flag=False) == 3
    assert table.extend(1, value=9) == 5_003

    assert len(table) == 5_004
    assert table["value"][:4].tolist() == [1, 2, 3, -1]
    assert table["value"][-1] == 9
    assert int(np.count_nonzero(table["flag"])) == 4
    table["value"][0] = 7
    assert table["value"][0] == 7
