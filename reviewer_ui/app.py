"""The desk as one application: its layers from the outermost inwards, and every page there is."""

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from mpi.domain.errors import MpiError
from reviewer_ui import assets
from reviewer_ui.access import from_the_desk, visitor
from reviewer_ui.errors import UnknownPageError, answer_anything, answer_error
from reviewer_ui.routes import OPEN_ROUTERS, ROUTERS
from reviewer_ui.security import Guard
from reviewer_ui.wiring import DeskServices

_FILES = APIRouter()


def create_app(services: DeskServices, *, secure: bool) -> FastAPI:
    """The desk over an open registry; `secure` says that it is reached by https, and browsers shall insist on it."""
    app = FastAPI(title="Stewards' desk", openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.desk = services
    app.add_middleware(Guard, secure=secure, respond=answer_anything)
    for kind in (MpiError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, answer_error)
    app.include_router(_FILES)
    for router in OPEN_ROUTERS:
        app.include_router(router, dependencies=[Depends(from_the_desk)])
    for router in ROUTERS:
        # first who asks, so that whoever is sent away to sign in is told so
        app.include_router(router, dependencies=[Depends(visitor), Depends(from_the_desk)])
    return app


@_FILES.get("/static/{digest}/{name}")
def static_file(digest: str, name: str) -> Response:
    """One of the desk's own files. Its address changes with its bytes, so that it may be kept for ever."""
    found = assets.assets().get(name)
    if found is None or found.digest != digest:
        raise UnknownPageError("there is no such file")
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": assets.FOR_EVER})
