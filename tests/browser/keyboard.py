"""Walking a page by the Tab key: everything usable is reached, in reading order, and the focus can be seen."""

from typing import Any

from playwright.async_api import Page

MOST_STOPS = 120

# One stop per radio group: arrows move inside it. Links and fields that are hidden are no stops.
_EXPECTED = """
() => {
  const seen = new Set(), stops = [];
  const all = document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]');
  for (const one of all) {
    if (one.disabled || !one.checkVisibility({visibilityProperty: true})) continue;
    if (one.type === 'radio') {
      if (seen.has(one.name)) continue;
      seen.add(one.name);
    }
    stops.push(one);
  }
  window.ddStops = stops;
  return stops.length;
}
"""

# A focused element keeps its place for the next Tab even after a blur; the body does not.
_TOP = "() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); }"

_WHERE = """
() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const group = one.type === 'radio' ? window.ddStops.findIndex(other => other.name === one.name) : -1;
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  return {
    index: group >= 0 ? group : window.ddStops.indexOf(one),
    what: one.outerHTML.slice(0, 120),
    ring,
    onScreen: box.width > 0 && box.left >= 0 && box.right <= innerWidth + 1,
  };
}
"""


async def tab_faults(page: Page) -> list[str]:
    """Faults of the Tab order from the top of the page to its end; empty when all is well."""
    await page.evaluate(_TOP)
    expected: int = await page.evaluate(_EXPECTED)
    reached: list[int] = []
    faults: list[str] = []
    for _ in range(MOST_STOPS):
        await page.keyboard.press("Tab")
        at: dict[str, Any] | None = await page.evaluate(_WHERE)
        if at is None or (reached and at["index"] == reached[0]):
            break
        if not at["ring"]:
            faults.append(f"no visible focus: {at['what']}")
        if not at["onScreen"]:
            faults.append(f"focused off the screen: {at['what']}")
        reached.append(at["index"])
    if reached != sorted(reached):
        faults.append(f"Tab leaves the reading order: {reached}")
    if len(set(reached)) != expected:
        faults.append(f"Tab reaches {len(set(reached))} of {expected} stops")
    return [f"{page.url}: {fault}" for fault in faults]


async def focused(page: Page) -> str:
    """The id of the element that has the focus, "" when none has."""
    ident: str = await page.evaluate("document.activeElement ? document.activeElement.id : ''")
    return ident
