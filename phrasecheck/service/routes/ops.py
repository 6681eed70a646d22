"""For machines: is it alive, is it ready, its numbers, its interface.

In: nothing. Out: JSON, or Prometheus' text. The one decision: /healthz says only that the process answers (a reason to restart it), /readyz that it
can work (a reason to send it nobody).
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from phrasecheck.errors import StoreError
from phrasecheck.service.desk import Desk, Here

router = APIRouter(tags=["operation"])


@router.get("/healthz", name="health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", name="ready")
def ready(here: Here) -> JSONResponse:
    """Each part by itself: 200 when all are well, else 503. Details are in the log."""
    parts = {"database": _well(here.store.database.check), "recordings": _well(here.store.recordings.probe), "workers": _workers(here)}
    well = all(said in {"ok", "none"} for said in parts.values())
    return JSONResponse({"status": "ok" if well else "failing", **parts}, 200 if well else 503)


def _well(check: Any) -> str:
    try:
        check()
    except StoreError:
        return "failing"
    return "ok"


def _workers(here: Desk) -> str:
    """«none» when none were asked for: others check the calls of this database."""
    if here.executor is None:
        return "none"
    return "ok" if here.executor.alive() else "failing"


@router.get("/metrics", name="metrics")
def metrics(here: Here) -> Response:
    """Prometheus' text format."""
    return Response(here.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/v1/openapi.json", name="openapi", include_in_schema=False)
def openapi(request: Request) -> dict[str, Any]:
    """The interface as an OpenAPI document."""
    document: dict[str, Any] = request.app.openapi()
    return document
