"""Finding a Ray cluster, and saying in one line why there is none. Ray is imported here, when it is first asked for."""

import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workings.core.errors import UserError

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
"""Ray's own settings: it reports to nobody, and leaves the variables that hide GPUs alone."""
REACH = 5.0
"""Seconds for an address to answer; Ray itself would try for minutes."""


@contextmanager
def connected(on: str) -> Iterator[Any]:
    """Ray, connected as asked; one that the caller has connected already is taken as it is."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise UserError(f"--on {on} needs Ray, the extra `cluster`: pip install 'workings[cluster]'") from None
    # Ray prints what its nodes say to standard output, where only results belong.
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        if ray.is_initialized():
            here = ray.get_runtime_context().gcs_address
            if on not in ("ray", f"ray:{here}"):
                raise UserError(f"--on {on}: this process is connected to {here} already; call ray.shutdown() before")
            yield ray
            return
        _connect(ray, on)
        try:
            yield ray
        finally:
            ray.shutdown()


def _connect(ray: Any, on: str) -> None:
    address = on if "://" in on else on.partition(":")[2] or os.environ.get("RAY_ADDRESS")
    if address and address != "auto":
        _answers(address)
    quietly = {} if address and "://" in address else {"log_to_driver": False, "logging_level": "error"}
    try:
        try:
            ray.init(address=address or "auto", **quietly)
        except ConnectionError:
            if address:
                raise
            print("no Ray cluster runs here: this machine alone is made one, for as long as it takes", file=sys.stderr)
            ray.init(address="local", include_dashboard=False, **quietly)
    except (Exception, SystemExit) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"--on {on}: Ray does not connect ({reason}); `ray status` there tells how the cluster is"
        ) from None


def _answers(address: str) -> None:
    """Knock at a door."""
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port or 10001
    except ValueError:
        host, port = None, 0
    if not host:
        raise UserError(f"{address!r} is no address: give HOST:PORT, as `ray start --head` prints it")
    try:
        socket.create_connection((host, port), timeout=REACH).close()
    except OSError as error:
        raise UserError(
            f"no Ray cluster answers at {host}:{port} ({error.strerror or error}): is `ray start --head` running there?"
        ) from None
