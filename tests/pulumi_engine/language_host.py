"""Runs a Pulumi Python program for the Pulumi CLI, where the CLI's own `pulumi-language-python` is not to be had.

The SDK carries a language server for its Automation API; this serves it by gRPC as the CLI expects: the port on
standard output, the engine's address as the last argument.  It starts no process and reads no environment.
"""

import gc
import os
import runpy
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import grpc
from google.protobuf import empty_pb2
from pulumi.automation._server import LanguageServer  # pyright: ignore[reportPrivateUsage] -- the one server there is
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

if TYPE_CHECKING:
    from pulumi.runtime.proto.language_pb2_grpc import _ServicerContext  # pyright: ignore[reportPrivateUsage]

PARENT_SECONDS = 2.0


def _run_program(folder: str) -> None:
    """Runs the program as a fresh interpreter would: an `up` runs it twice, for the preview and for the update."""
    inside = str(Path(folder).resolve())
    for name, module in list(sys.modules.items()):
        origin = getattr(module, "__file__", None)
        if origin is not None and str(origin).startswith(inside + os.sep):
            del sys.modules[name]
    if inside not in sys.path:
        sys.path.insert(0, inside)
    os.chdir(inside)
    runpy.run_path(inside, run_name="__main__")


class Host(LanguageServer):
    """The SDK's server, with the program taken from each request instead of from the constructor."""

    def __init__(self, engine: str) -> None:
        """Serves the engine that listens at this address."""
        super().__init__(lambda: None)
        self._engine = engine

    def Handshake(
        self, request: language_pb2.LanguageHandshakeRequest, context: grpc.ServicerContext
    ) -> language_pb2.LanguageHandshakeResponse:
        """Agrees to everything."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Tells a version, which the CLI wants to print."""
        return plugin_pb2.PluginInfo(version="0.0.1")

    def InstallDependencies(
        self, request: language_pb2.InstallDependenciesRequest, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Nothing to install: this interpreter has the SDK."""
        return iter(())

    def Run(self, request: language_pb2.RunRequest, context: "_ServicerContext") -> language_pb2.RunResponse:
        """Runs the program in the folder that the engine names."""
        folder = request.info.program_directory or request.pwd
        self.program = lambda: _run_program(folder)
        del request.args[:]
        request.args.append(self._engine)
        answer = super().Run(request, context)  # pyright: ignore[reportUnknownMemberType] -- the SDK has no types here
        if answer.error:
            # The SDK has said what is wrong already; `bail` keeps the engine from saying it again.
            return language_pb2.RunResponse(bail=True)
        return answer


def serve(engine: str, stopped: threading.Event, is_wanted: Callable[[], bool]) -> None:
    """Serves the engine at this address until it is stopped or nobody wants it any more; never returns."""
    # It lives for seconds, and looking for cycles would be a quarter of them.
    gc.disable()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    # The CLI ends its hosts with an interrupt, and waits five seconds for those that stay; they have a process group
    # of their own, so an interrupt at the terminal goes to the CLI alone.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopped.wait(PARENT_SECONDS) and is_wanted():
        pass
    server.stop(grace=0)
    # A program that failed may have calls open that nobody answers any more; waiting for them helps nobody.
    os._exit(0)


def main() -> None:
    """Serves until the CLI closes it."""
    # A CLI that is killed tells nobody; the CLI's own host looks for its engine every few seconds as well.
    parent = os.getppid()
    serve(sys.argv[-1], threading.Event(), lambda: os.getppid() == parent)


if __name__ == "__main__":
    main()
