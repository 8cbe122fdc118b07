"""A page as the conformance suite's scripted browser sees it: elements by id or name, forms, what happens by itself."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
_SILENT = {"script", "style", "template"}
_SUBMITS_ITSELF = "document.forms[0].submit()"


@dataclass(eq=False)
class Element:
    """attrs: as they are by now, with what was typed or ticked. form: the one it belongs to."""

    tag: str
    attrs: dict[str, str]
    form: "Element | None" = None
    hidden: bool = False
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What a person reads in it."""
        return "" if self.hidden else " ".join("".join(self.parts).split())

    @property
    def is_tick(self) -> bool:
        return self.tag == "input" and self.attrs.get("type") in {"checkbox", "radio"}

    @property
    def submits(self) -> bool:
        return self.tag == "button" and self.attrs.get("type", "submit") == "submit"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.scripts: list[str] = []
        self._open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        hidden = "hidden" in told or told.get("type") == "hidden" or any(each.hidden for each in self._open)
        form = next((each for each in reversed(self._open) if each.tag == "form"), None)
        element = Element(tag, told, form, hidden)
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while any(each.tag == tag for each in self._open):
            if self._open.pop().tag == tag:
                return

    def handle_data(self, data: str) -> None:
        if any(each.tag in _SILENT for each in self._open):
            self.scripts.append(data)
        elif not any(each.hidden for each in self._open):
            for each in self._open:
                each.parts.append(data)


class ShownPage:
    """refresh: the header of this name."""

    def __init__(self, url: str, text: str, status: int = 200, refresh: str = "") -> None:
        reader = _Reader()
        reader.feed(text)
        self.url = url
        self.text = text
        self.status = status
        self.elements = reader.elements
        self.forms = [each for each in self.elements if each.tag == "form"]
        self.frames = [each.attrs["src"] for each in self.elements if each.tag == "iframe"]
        self.submits_itself = _SUBMITS_ITSELF in reader.scripts
        self.goes_on_to = refresh.partition("url=")[2]

    def __str__(self) -> str:
        return f"{self.url.partition('?')[0]} ({self.status}), ids {sorted(self._ids())}"

    def _ids(self) -> set[str]:
        return {each.attrs["id"] for each in self.elements if "id" in each.attrs}

    def find(self, kind: str, value: str) -> Element | None:
        """kind: `id` or `name`, which is all that our configurations use."""
        return next((each for each in self.elements if each.attrs.get(kind) == value), None)

    def pairs(self, form: Element, button: Element | None) -> list[tuple[str, str]]:
        """What sending the form sends, in its order. button: the one that was clicked."""
        return [
            (each.attrs["name"], each.attrs.get("value", "on" if each.is_tick else ""))
            for each in self.elements
            if each.form is form and "name" in each.attrs and (each is button or _is_sent(each))
        ]


def _is_sent(element: Element) -> bool:
    if element.is_tick:
        return "checked" in element.attrs
    return element.tag == "input" and element.attrs.get("type") != "submit"
