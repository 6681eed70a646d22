"""phrasecheck serve: the web pages and the API, with workers beside them.

In: settings. Out: a server until it is told to stop (SIGTERM, Ctrl-C): running requests end, workers give their calls back. The one decision: nothing
has to be set up; an empty database is made, and as long as nobody has an account each start prints a new one-time link that makes the first
administrator.
"""

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

from phrasecheck.cli.language import say
from phrasecheck.cli.options import serve_extra, settings_file_option, until_told
from phrasecheck.errors import InputError

if TYPE_CHECKING:
    from phrasecheck.settings import ServiceSettings, Settings
    from phrasecheck.store.store import Store


@click.command(
    help=say("启动网页与接口；不用任何准备，首次启动会给出创建管理员的链接。", "Start the web pages and the API; nothing has to be set up.")
)
@click.option("--host", help=say("监听的地址（默认 127.0.0.1，只限本机）", "Address to listen on [127.0.0.1]"))
@click.option("--port", type=click.IntRange(0, 65535), help=say("监听的端口（默认 8000）", "Port to listen on [8000]"))
@click.option(
    "--workers",
    type=click.IntRange(0),
    help=say("几个检查录音的进程（默认按核数；0：不启动）", "Processes that check calls [by cores]; 0: none"),
)
@click.option(
    "--replicas",
    type=click.IntRange(1),
    help=say(
        "在 Ray 集群上起几个副本（Ray Serve），不带检查的进程",
        "So many replicas on a Ray cluster (Ray Serve), without processes that check",
    ),
)
@click.option("--address", help=say("Ray 集群的地址", "Address of the Ray cluster"))
@settings_file_option
def serve(
    host: str | None, port: int | None, workers: int | None, replicas: int | None, address: str | None, settings_file: Path | None
) -> None:
    """Exit status 1 when the port is taken, the database is of another version or away, or there is no Ray cluster."""
    settings = _settings(settings_file, host, port, workers, address)
    with serve_extra():
        import uvicorn

        from phrasecheck.cluster import make_executor
        from phrasecheck.service.app import create_app
        from phrasecheck.service.logs import log_settings
        from phrasecheck.store.store import open_store
    store = open_store(settings.store)
    listening = _listen(settings.service)
    if replicas:
        _replicate(settings, replicas, store, listening)
        return
    executor = None if workers == 0 else make_executor(settings)
    app = create_app(settings, store, executor)
    _greet(store, _address(settings.service, listening))
    config = uvicorn.Config(
        app,
        log_config=log_settings(settings.service.log_json),
        access_log=False,  # ours tells no paths (service/logs.py)
        server_header=False,
        timeout_graceful_shutdown=settings.service.stop_s,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        store.close()


def _replicate(settings: "Settings", number: int, store: "Store", listening: socket.socket) -> None:
    """Until told to stop. The port was only tried: Ray's proxies listen on it."""
    from phrasecheck.cluster.replicas import replicas
    from phrasecheck.service.app import create_app

    address = _address(settings.service, listening)
    port = listening.getsockname()[1]
    listening.close()
    service = settings.service.model_copy(update={"port": port})
    with replicas(settings.model_copy(update={"service": service}), number, create_app):
        stop = until_told()  # not before: Ray takes the signals for itself when it is connected
        _greet(store, address)
        store.close()
        stop.wait()


def _settings(file: Path | None, host: str | None, port: int | None, workers: int | None, address: str | None) -> "Settings":
    from phrasecheck.settings import load_settings

    settings = load_settings(file)
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    wanted = {name: value for name, value in (("workers", workers), ("address", address)) if value}
    cluster = settings.cluster.model_copy(update=wanted)
    return settings.model_copy(update={"service": settings.service.model_copy(update=given), "cluster": cluster})


def _listen(service: "ServiceSettings") -> socket.socket:
    """The door, opened before anything is said, so that what is said is true. Raises InputError."""
    try:
        return socket.create_server(
            (service.host, service.port), family=socket.AF_INET6 if ":" in service.host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        raise InputError(
            f"监听不了 {service.host}:{service.port}：{error.strerror}。请用 --port 换一个端口，或停掉占用它的程序（可能是另一个 phrasecheck serve）"
        ) from error


def _address(service: "ServiceSettings", listening: socket.socket) -> str:
    if service.public_url:
        return service.public_url.rstrip("/")
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(service.host, f"[{service.host}]" if ":" in service.host else service.host)
    return f"http://{host}:{listening.getsockname()[1]}"


def _greet(store: "Store", address: str) -> None:
    click.echo(say(f"网页在 {address}/ ，按 Ctrl-C 停止", f"Pages at {address}/ , Ctrl-C to stop"))
    link = store.accounts.first_link()
    if link is not None:
        click.echo(
            say(
                "还没有账号。请在浏览器里打开这个一次性链接，创建首位管理员：",
                "No account yet. Open this one-time link to make the first administrator:",
            )
        )
        click.echo(f"  {address}/welcome/{link}")
