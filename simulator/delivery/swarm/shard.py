"""A swarm worker on another host: the same worker, its pipe a TCP connection to the run.

Rule of the module: it shows its secret, says who it is, receives its order and works; it ends when
the connection does. What it receives is unpickled, so it connects only to where its task says.

``serve`` is the task of a cluster. It starts a process of its own, because a worker that shared its
interpreter with the cluster's loop would measure that loop.
"""

import json
import socket
import subprocess
import sys
from multiprocessing.connection import Connection as Pipe
from typing import Final

from simulator.clock import clock_domain
from simulator.delivery.messages import Hello, SwarmOrder
from simulator.delivery.swarm.worker import worker_main
from simulator.delivery.vitals import limits

CONNECT_S: Final = 20.0
PIPE_BYTES: Final = 4 * 1024 * 1024
_BOOT: Final = "from simulator.delivery.swarm.shard import main; main()"
_LAST_WORDS: Final = 2_000


def serve(host: str, port: int, secret: str, worker: int) -> str:
    """Run one shard to its end.

    Args:
        host: address of the run as seen from here.
        port: its port.
        secret: proof that the run sent us.
        worker: index of the shard.

    Returns:
        Nothing if it ended in order, else its last words.
    """
    told = json.dumps({"host": host, "port": port, "secret": secret, "worker": worker})
    done = subprocess.run(  # noqa: S603  # our own interpreter and our own program
        [sys.executable, "-P", "-c", _BOOT], input=told, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    return (done.stderr or f"exit code {done.returncode}")[-_LAST_WORDS:]


def main() -> None:
    """The process of one shard; what ``serve`` was told stands on standard input."""
    told = json.loads(sys.stdin.read())
    work(told["host"], int(told["port"]), told["secret"], int(told["worker"]))


def work(host: str, port: int, secret: str, worker: int) -> None:
    """Connect to the run and be its worker.

    Raises:
        OSError: if the run cannot be reached.
        TypeError: if what answers is not the run.
    """
    line = socket.create_connection((host, port), CONNECT_S)
    prepare(line)
    with Pipe(line.detach()) as pipe:
        pipe.send_bytes(secret.encode())
        pipe.send(
            Hello(worker=worker, host=socket.gethostname(), domain=clock_domain(), limits=limits())
        )
        try:
            order = pipe.recv()
        except EOFError:
            return  # the run has ended meanwhile
        if not isinstance(order, SwarmOrder):
            raise TypeError(f"not an order: {type(order).__name__}")
        worker_main(pipe, order)


def prepare(line: socket.socket) -> None:
    """A connection that carries messages at once, and many of them."""
    line.setblocking(True)  # the socket's own interface
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
        line.setsockopt(socket.SOL_SOCKET, option, PIPE_BYTES)
