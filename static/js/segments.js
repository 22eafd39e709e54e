// Sentences and steps: the one at hand stands out in its response, and each says what it was marked as.

function paint(screen) {
  const row = screen.querySelector(".aspect[data-open] [data-segments] [data-row][data-current]");
  for (const segment of screen.querySelectorAll(".seg")) {
    const index = segment.closest(".pane").dataset.index;
    const own = screen.querySelector(`[data-segments] [data-row][data-index="${index}"][data-start="${segment.dataset.start}"]`);
    const chosen = own?.querySelector("[data-choice]:checked");
    segment.dataset.said = chosen?.value ?? "";
    segment.dataset.key = chosen?.closest("label").dataset.key ?? "";
    const here = own && own === row;
    segment.toggleAttribute("data-here", Boolean(here));
    if (here) segment.scrollIntoView({ block: "nearest" });
  }
  row?.scrollIntoView({ block: "nearest" });
}

export function startSegments(screen) {
  for (const name of ["change", "focusin", "aspect:open"]) screen.addEventListener(name, () => setTimeout(paint, 0, screen));
  screen.addEventListener("click", (event) => {
    const segment = event.target.closest(".seg");
    const row = segment && screen.querySelector(`[data-segments] [data-row][data-index="${segment.closest(".pane").dataset.index}"][data-start="${segment.dataset.start}"]`);
    row?.querySelector("[data-choice]").focus();
  });
  paint(screen);
}
