"""Pages: every English text has its Vietnamese one; no script, no style and no handler in a template."""

import re

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from tests.architecture.sources import PACKAGES, ROOT

TEMPLATES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("templates/*.html"))
CALL = re.compile(r"""_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")


def _vietnamese() -> dict[str, str]:
    texts: dict[str, str] = {}
    for catalogue in sorted(path for package in PACKAGES for path in (ROOT / package).rglob("locale/vi.po")):
        with catalogue.open("rb") as source:
            texts.update({str(message.id): str(message.string) for message in read_po(source) if message.id})
    return texts


def test_there_are_templates() -> None:
    assert len(TEMPLATES) > 10


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_text_of_a_template_is_translated(template: object) -> None:
    source = template.read_text("utf-8")  # type: ignore[attr-defined]
    used = {match[1:-1].replace('\\"', '"').replace("\\'", "'") for match in CALL.findall(source)}
    vietnamese = _vietnamese()
    assert sorted(text for text in used if not vietnamese.get(text)) == []


def test_every_refusal_that_people_see_is_translated() -> None:
    """Texts given to gettext in Python, and the public texts of refusals raised in page modules."""
    vietnamese = _vietnamese()
    missing = set()
    for package in ("core", "identity", "consent", "oidc", "privacy"):
        for file in (ROOT / package).rglob("*.py"):
            with file.open("rb") as source:
                for _, message, _, _ in extract("python", source, keywords={"gettext": (2,), "translate": None}):
                    if isinstance(message, str) and not vietnamese.get(message):
                        missing.add(message)
    assert sorted(missing) == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_hold_no_script_or_inline_style(template: object) -> None:
    source = template.read_text("utf-8")  # type: ignore[attr-defined]
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b", source, re.IGNORECASE)
