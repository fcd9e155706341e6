"""Loaded by every Python that has this folder on PYTHONPATH: no network but the machine itself.

An attempt is written to the file in COURSE_NETWORK_LOG and then refused, so that code which
catches the error is noticed too. An audit hook sees every socket, in C as well.
"""

import os
import sys


def _is_local(host):
    if host is None or host in ("", b""):
        return True
    host = host.decode() if isinstance(host, bytes) else str(host)
    return host in ("localhost", "::1", "0.0.0.0", "::") or host.startswith("127.")


def _refuse(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        # Only internet addresses are tuples; a Unix socket is a path, and None is connected.
        host = address[0] if isinstance(address, tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    if not _is_local(host):
        log = os.environ.get("COURSE_NETWORK_LOG")
        if log:
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"{event} {host}\n")
        raise PermissionError(f"The tests allow no network: {event} {host!r}")


sys.addaudithook(_refuse)
sys.network_is_blocked = True
