"""The door of the desk."""

from fastapi import APIRouter

from privacy.desk.pages import router


def routers() -> list[APIRouter]:
    return [router]


__all__ = ["routers"]
