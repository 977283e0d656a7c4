"""The desk's pages, a file a screen. A screen adds its router here, to ROUTERS: only who is signed in reaches it then,
and its forms are checked. OPEN_ROUTERS are for everybody: of their forms is known only that a page of the desk sent
them.
"""

from fastapi import APIRouter

from reviewer_ui.routes import audit, cluster, language, merge, person, queue, search, sign_in, split, tasks, team
from reviewer_ui.routes import help as help_page

OPEN_ROUTERS: tuple[APIRouter, ...] = (sign_in.OPEN, language.OPEN)
ROUTERS: tuple[APIRouter, ...] = (
    sign_in.SIGNED_IN,
    queue.ROUTER,
    tasks.ROUTER,
    cluster.ROUTER,
    split.ROUTER,
    search.ROUTER,
    person.ROUTER,
    merge.ROUTER,
    audit.ROUTER,
    team.ROUTER,
    help_page.ROUTER,
)
