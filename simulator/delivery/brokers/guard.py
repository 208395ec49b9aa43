"""A broker's first moments as a child process, run as a script: ``guard.py PARENT COMMAND …``.

Rule of the script: tie the child's life to the thread that started it, raise the limit of open
files, then become what was asked for. ``serve FILE`` is the embedded broker in this process,
``amqtt FILE`` the pure-Python one, ``exec PROGRAM …`` another program. It imports nothing of ours,
so that a broker starts quickly.
"""

import ctypes
import logging
import os
import resource
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Guard the process, then serve or exec."""
    parent, command, *rest = arguments
    _die_with_parent(int(parent))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if command == "exec":
        os.execvp(rest[0], rest)  # noqa: S606  # no shell is wanted
    if command == "amqtt":
        _serve_amqtt(rest[0])
    _serve(rest[0])


def _die_with_parent(parent: int) -> None:
    """Ask the kernel to kill us with our parent; elsewhere than on Linux stdin must do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


def _serve(configuration: str) -> None:
    # Imported here because `exec` needs neither the package nor its 20 ms.
    from iotcore.iotcore import IotCoreBroker  # noqa: PLC0415

    threading.Thread(target=_end_with_stdin, daemon=True).start()
    # rumqttd opens an ERROR span for every packet; nothing of it is an error.
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
    try:
        IotCoreBroker(config_path=configuration).run_forever()
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)  # not past the thread that reads stdin


def _serve_amqtt(configuration: str) -> None:
    # Imported here because only this command needs them.
    import asyncio  # noqa: PLC0415
    import json  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    from amqtt.broker import Broker  # noqa: PLC0415

    threading.Thread(target=_end_with_stdin, daemon=True).start()
    # It logs an error for every client that goes away without a word.
    logging.basicConfig(level=logging.CRITICAL)

    settings = json.loads(Path(configuration).read_text(encoding="ascii"))

    async def serve() -> None:
        await Broker(settings).start()
        await asyncio.Event().wait()

    asyncio.run(serve())


def _end_with_stdin() -> None:
    try:
        sys.stdin.buffer.read()
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
