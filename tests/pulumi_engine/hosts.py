"""Language hosts from a process that has the SDK loaded already: to load it is half of what a run of the program takes.

    hosts.py serve SOCKET           loads it and forks a host for each that asks, until standard input ends
    hosts.py ask SOCKET ARGUMENT... asks for one, and stands in its place before the CLI

Each host is a process of its own, in which nobody has run the program before.  What a program would have to load itself
and does not is not seen here: the operator's way of README.md and the tests of `tapctl` start their hosts plainly.
"""

import json
import os
import select
import signal
import socket
import struct
import sys

LENGTH = struct.Struct("!I")
PARENT_SECONDS = 2.0


def serve(path: str) -> None:
    """Forks a host for each that asks."""
    _load()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        # Nobody waits for a host but the one that has asked for it.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        print("ready", flush=True)
        while listener in select.select([listener, sys.stdin], [], [])[0]:
            asked = listener.accept()[0]
            if os.fork() == 0:
                listener.close()
                _become(asked)
            asked.close()


def _load() -> None:
    """Imports what the program imports, and forgets the program."""
    import gc  # noqa: PLC0415 -- who asks has no time for what only this side needs
    import importlib  # noqa: PLC0415
    import re  # noqa: PLC0415
    from pathlib import Path  # noqa: PLC0415

    program = Path(__file__).resolve().parents[2] / "pulumi"
    sys.path.insert(0, str(program))
    for name in ("language_host", "lib.tap_stack"):
        importlib.import_module(name)
    sys.path.remove(str(program))
    # The SDK loads a service's package when something of it is first named, which is a third of a run of the program.
    aws = importlib.import_module("pulumi_aws")
    for file in sorted((program / "lib").glob("*.py")):
        for service, name in re.findall(r"\baws\.(\w+)\.(\w+)", file.read_text(encoding="utf-8")):
            getattr(getattr(aws, service, None), name, None)
    for name in [each for each in sys.modules if each.split(".")[0] == "lib"]:
        del sys.modules[name]
    gc.collect()
    gc.freeze()


def _become(asked: socket.socket) -> None:
    """The host that was asked for, in this process; never returns."""
    import threading  # noqa: PLC0415

    import language_host  # noqa: PLC0415

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    begun, given, _, _ = socket.recv_fds(asked, LENGTH.size, 3)
    (length,) = LENGTH.unpack(begun)
    told = json.loads(asked.recv(length, socket.MSG_WAITALL))
    for number, each in enumerate(given):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    # The next host of this folder finds the program compiled, whatever the environment says.
    sys.dont_write_bytecode = False
    gone = threading.Event()

    def wait() -> None:
        asked.recv(1)
        gone.set()

    threading.Thread(target=wait, daemon=True).start()
    language_host.serve(told["arguments"][-1], gone, lambda: True)


def ask(path: str, arguments: list[str]) -> None:
    """Asks for a host, and stays for as long as the CLI wants it."""
    # A host ends when this end of the line is closed, however this process ends.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = os.getppid()
    told = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}  # noqa: PTH109 -- as above
    text = json.dumps(told).encode()
    with socket.socket(socket.AF_UNIX) as host:
        host.connect(path)
        socket.send_fds(host, [LENGTH.pack(len(text))], [0, 1, 2])
        host.sendall(text)
        # The CLI reads until all ends of its pipes are closed; the host has them now.
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        # A CLI that is killed tells nobody.
        while os.getppid() == parent and not select.select([host], [], [], PARENT_SECONDS)[0]:
            pass


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        ask(sys.argv[2], sys.argv[3:])
