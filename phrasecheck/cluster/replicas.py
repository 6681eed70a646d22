"""The web service as replicas on a Ray cluster (Ray Serve).

In: settings, what makes the application in each replica. Out: a service that answers on every node. The one decision: Ray's own router sends whoever
names a session (header x-session-id, the call's id) to one replica by consistent hashing, so that a line that dropped comes back to the process that
holds its call; who names none goes anywhere, since nothing else of the service is kept in a process.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from phrasecheck.cluster.ray import connected, threaded
from phrasecheck.settings import Settings

NAME = "phrasecheck"
ROUTER = "ray.serve.experimental.consistent_hash_router.ConsistentHashRouter"

Build = Callable[[Settings], Any]
"""Settings -> an ASGI application with its own life; called in each replica."""


@contextmanager
def replicas(settings: Settings, number: int, build: Build) -> Iterator[None]:
    """They answer while the block runs, on `service.host` and `service.port` of every node. Raises InputError where Ray is not there or too old."""
    connected(settings)
    serve, config = import_module("ray.serve"), import_module("ray.serve.config")  # typed too loosely to be imported by name
    service, cluster, each = settings.service, settings.cluster, threaded(settings)

    def application() -> Any:
        return build(each)

    logs = {"log_level": logging.WARNING, "enable_access_log": False}  # paths hold one-time links; ours are told without (service/logs.py)
    deployment = serve.deployment(
        serve.ingress(application)(),
        name=NAME,
        num_replicas=number,
        max_ongoing_requests=settings.live.max_connections,
        graceful_shutdown_timeout_s=service.stop_s,
        ray_actor_options={"num_cpus": cluster.cpus, "num_gpus": cluster.gpus},
        request_router_config=config.RequestRouterConfig(request_router_class=ROUTER),
    )
    serve.start(proxy_location="EveryNode", http_options=config.HTTPOptions(host=service.host, port=service.port), logging_config=logs)
    try:
        serve.run(deployment.bind(), name=NAME, route_prefix="/", logging_config=logs)
        yield
    finally:
        serve.shutdown()
