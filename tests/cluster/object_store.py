"""A real S3 server on this machine (moto's), which refuses every so manieth request as a busy one does.

In: how often. Out: the environment in which s3fs finds it. The one decision: it refuses over HTTP, outside of the client, so that what the client does about it
is what it would do about a real store.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from threading import Thread
from typing import Any

import pytest

SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Refusing:
    """Every `nth` request is answered 503."""

    def __init__(self, inner: Callable[..., Iterable[bytes]], nth: int) -> None:
        self._inner, self._nth, self._numbers = inner, nth, count(1)
        self.refused = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        if self._nth and next(self._numbers) % self._nth == 0:
            self.refused += 1
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", str(len(SLOW_DOWN)))])
            return [SLOW_DOWN]
        return self._inner(environ, start_response)


@contextmanager
def object_store(monkeypatch: pytest.MonkeyPatch, nth: int = 0) -> Iterator[Refusing]:
    """The server with an empty bucket `calls`; processes that are started inside find it too."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed")
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = Refusing(moto.DomainDispatcherApplication(moto.create_backend_app), nth)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    known = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    for name, value in (known | {"AWS_DEFAULT_REGION": "us-east-1"}).items():
        monkeypatch.setenv(name, value)
    try:
        yield app
    finally:
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()  # its connections lead to a server that is no more
        server.shutdown()
        server.server_close()
