// Sentences and steps: the one at hand stands out in its response, and each says what it was marked as.
import { setCurrent } from "./grid.js";

// The first step of each response that was marked wrong, by its pane.
function firstWrong(screen) {
  const found = new Map();
  for (const choice of screen.querySelectorAll('[data-segments] [data-choice][value="wrong"]:checked')) {
    const row = choice.closest("[data-row]");
    if (!found.has(row.dataset.index)) found.set(row.dataset.index, row);
  }
  return new Set(found.values());
}

function paint(screen) {
  const row = screen.querySelector(".aspect[data-open] [data-segments] [data-row][data-current]");
  const first = firstWrong(screen);
  for (const segment of screen.querySelectorAll(".seg")) {
    const index = segment.closest(".pane").dataset.index;
    const own = screen.querySelector(`[data-segments] [data-row][data-index="${index}"][data-start="${segment.dataset.start}"]`);
    const chosen = own?.querySelector("[data-choice]:checked");
    segment.dataset.said = [chosen?.value, first.has(own) && own.closest("[data-segments]").dataset.first].filter(Boolean).join(" · ");
    const turn = segment.querySelector(":scope > small"); // in a trajectory the step's heading says it
    if (turn) turn.dataset.said = segment.dataset.said;
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
    if (!row) return;
    setCurrent(row);
    row.querySelector("[data-choice]").focus({ preventScroll: true });
    paint(screen);
  });
  paint(screen);
}
