// The workbench: wires the modules to the page. Everything works without this file, through plain forms.
import { answered, firstMissing, openAspect, openNext, refreshAll, settle, startAspects, step } from "./aspects.js";
import { toggleDifferences } from "./diff.js";
import { startDrafts } from "./drafts.js";
import { startGrids, untouchedOnce } from "./grid.js";
import { startKeys } from "./keys.js";
import { alignTexts, toggleLock } from "./panes.js";
import { submitWork } from "./outbox.js";

const work = () => document.getElementById("work");
const say = (text) => { document.getElementById("announce").textContent = text; };

// ---- what the buttons and their keys do

const FILM = ["play", "rewind", "frame_back", "frame_on", "second_back", "second_on", "slower", "faster"];
const click = (selector) => () => work().querySelector(selector)?.click();
const doing = {
  submit: () => advanceOrSubmit(),
  back: click('[data-do="back"]'),
  undo: click('[data-do="undo"]'),
  skip: () => togglePanel("skip"),
  flag: () => togglePanel("flag"),
  guidelines: () => toggleGuidelines(),
  help: () => togglePanel("help"),
  earlier: () => toggleEarlier(),
  lock: () => toggleLock(work()),
  differences: () => toggleDifferences(work()),
  next: () => step(work(), 1),
  previous: () => step(work(), -1),
  read: click('[name="read"]'),
  ...Object.fromEntries(FILM.map((act) => [`film_${act}`, () => work().dispatchEvent(new CustomEvent("film", { detail: act }))])),
  comment: () => work().querySelector(".aspect[data-open] .words")?.focus(),
};

function advanceOrSubmit() {
  const dock = work().querySelector(".dock");
  if (!dock) return work().querySelector("[data-do=again]")?.click();
  if (!openNext(work())) dock.requestSubmit(dock.querySelector('[data-do="submit"]'));
}

function togglePanel(name) {
  const panel = work().querySelector(`details[data-panel="${name}"]`);
  if (!panel) return;
  panel.open = !panel.open;
  if (panel.open) (panel.querySelector("[data-key], a, button, input") ?? panel).focus();
}

function toggleGuidelines() {
  const drawer = document.getElementById("guidelines");
  if (!drawer) return;
  const shown = drawer.toggleAttribute("data-shown");
  if (shown) drawer.focus();
}

function toggleEarlier() {
  const earlier = work().querySelector(".earlier");
  if (!earlier) return;
  earlier.open = !earlier.open;
  work().querySelector('[data-do="earlier"]').setAttribute("aria-pressed", earlier.open);
}

document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-do]");
  if (control && ["guidelines", "earlier", "lock", "differences"].includes(control.dataset.do)) {
    event.preventDefault();
    doing[control.dataset.do]();
  }
  if (control?.dataset.do === "open") openAspect(control.closest(".aspect"));
  for (const panel of document.querySelectorAll("details.menu[open]")) {
    if (!panel.contains(event.target)) panel.open = false;
  }
});

// ---- submitting

document.addEventListener("submit", (event) => {
  const dock = event.target;
  if (!dock.matches(".dock")) return;
  event.preventDefault();
  const judging = !event.submitter?.hasAttribute("formaction");
  if (judging) {
    if (!untouchedOnce(dock)) return;
    const missing = firstMissing(work());
    if (missing) return ask(missing);
  }
  submitWork(dock, event.submitter);
});

function ask(aspect) {
  openAspect(aspect);
  aspect.dataset.wrong = "";
  aspect.querySelector("[data-choice]")?.focus();
  say(`${aspect.querySelector("legend").textContent}: ${aspect.querySelector(".line").dataset.next}`);
}

// ---- a new instance on the screen

export function arrive() {
  const screen = work();
  if (!screen) return;
  screen.dataset.since = performance.now();
  refreshAll(screen);
  startGrids(screen);
  alignTexts(screen);
  countDown(screen.querySelector("#receipt"));
  loadTools(screen);
  document.getElementById("main").focus({ preventScroll: true });
}

// Loaded only where a page has something for them.
function loadTools(screen) {
  if (screen.querySelector(".math")) import("./math.js").then((math) => math.typeset(screen));
  if (screen.querySelector("[data-marks]")) import("./marks.js").then((marks) => marks.startMarks(screen));
  if (screen.querySelector("[data-segments]")) import("./segments.js").then((segments) => segments.startSegments(screen));
  if (screen.querySelector("[data-transport]")) import("./films.js").then((films) => films.startFilms(screen));
  else if (screen.querySelector(".pane :is(audio, video)")) import("./media.js").then((media) => media.startMedia(screen));
  if (screen.querySelector("[data-edit]")) import("./edit.js").then((edit) => edit.startEdits(screen));
}

function countDown(receipt) {
  if (!receipt) return;
  const left = Math.ceil((Number(receipt.dataset.until) - Date.now()) / 1000);
  if (left <= 0 || !receipt.isConnected) return receipt.querySelector('[data-do="undo"]')?.remove();
  receipt.querySelector("[data-seconds]").textContent = `${left} s`;
  setTimeout(countDown, 1000, receipt);
}

document.addEventListener("work:arrived", arrive);
document.addEventListener("change", (event) => settle(event.target));
document.addEventListener("input", (event) => { if (event.target.matches("[data-choice]")) answered(event.target.closest(".aspect")); });

startAspects();
startDrafts();
startKeys(doing);
arrive();
