"""axe-core over a page: what breaks accessibility, in light and in dark."""

from pathlib import Path

from playwright.sync_api import Page

AXE = (Path(__file__).parent.parent / "data" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => {
    const told = (node) => `${node.target} ${node.any[0]?.message ?? ""}`;
    const {violations} = await axe.run(document, {resultTypes: ["violations"]});
    return violations.map(({id, impact, nodes}) => `${id} (${impact}): ${nodes.slice(0, 5).map(told).join(" | ")}`);
}"""


def violations(page: Page) -> list[str]:
    """One line a rule that the page breaks."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN)
    return found


def assert_accessible(page: Page, where: str = "") -> None:
    """No violation in light nor in dark."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = violations(page)
        assert not found, f"{where or page.url} in {scheme}:\n" + "\n".join(found)
