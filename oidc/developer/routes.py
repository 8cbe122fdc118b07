"""The pages in the order in which their addresses are matched: words before a client's identifier."""

from fastapi import APIRouter

from oidc.developer import act_pages, client_pages, form_pages, review_pages, sandbox_pages, token_pages

ROUTERS: tuple[APIRouter, ...] = (
    token_pages.router,
    review_pages.router,
    form_pages.router,
    client_pages.router,
    act_pages.router,
    sandbox_pages.router,
)
