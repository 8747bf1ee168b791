"""Our program where there is no network: in a namespace without any interface, or else watched from within.

Where nobody may make a namespace, the program runs under an audit hook of Python's (PEP 578), which no code can take
away: it ends at once, with a status of its own, if anything makes an internet socket, looks up a name or connects.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache

CAUGHT = 97  # the exit status of a program that would have used the network
_WATCHED = f"""
import os, socket, sys

def watch(event, arguments):
    looks_up = event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto")
    if looks_up or (event == "socket.__new__" and arguments[1] in (socket.AF_INET, socket.AF_INET6)):
        os._exit({CAUGHT})

sys.addaudithook(watch)
"""
_RUN = "import runpy, sys; sys.argv[0] = 'boxroom'; runpy.run_module('boxroom', run_name='__main__')"


@cache
def namespace() -> list[str]:
    """The command that runs another in a network namespace of its own; empty where that is not allowed."""
    for command in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if (
            shutil.which(command[0])
            and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        ):
            return command
    return []


def program(*, watched: bool) -> list[str]:
    """The command line of our program, up to its arguments, for `subprocess`."""
    return [sys.executable, "-c", f"{_WATCHED}{_RUN}"] if watched else [*namespace(), sys.executable, "-c", _RUN]


def ways() -> list[bool]:
    """Whether to watch: not where there are namespaces, and always as well, so that one way never goes untried."""
    return [False, True] if namespace() else [True]


def tries_the_network(*, watched: bool) -> int:
    """The exit status of a program that connects to this very machine: 0 only if it gets as far as being refused."""
    attempt = "import socket\ntry: socket.create_connection(('127.0.0.1', 9), 5)\nexcept ConnectionRefusedError: pass\n"
    if watched:
        command = [sys.executable, "-c", f"{_WATCHED}{attempt}"]
    else:
        command = [*namespace(), sys.executable, "-c", attempt]
    return subprocess.run(command, capture_output=True, check=False).returncode
