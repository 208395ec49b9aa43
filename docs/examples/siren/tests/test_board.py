"""A receiver that reports nothing itself: a stand-in does it, and the test is asynchronous."""

import asyncio

from board import Board


async def test_board_shows_the_warning_and_then_nothing(alertsim):
    shown: list[str] = []

    def heard(payload: bytes) -> None:
        stand_in.received(payload)
        shown.append(board.text)

    board = Board("niigata", heard)
    listening = asyncio.create_task(board.run(alertsim.host, alertsim.port))
    await asyncio.wait_for(board.ready.wait(), 10)
    stand_in = alertsim.stand_in("board-7", "niigata")

    played = await alertsim.play_async("tohoku-2022-11-03", speed=3000)
    listening.cancel()

    played.assert_received_once("board-7")
    assert played.events("niigata") == ["launch", "passage", "correction"]
    assert [text.startswith("【訓練】ミサイル発射情報") for text in shown] == [False, True, False]
    assert board.text == ""
