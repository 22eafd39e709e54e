// One question is open at a time; finished ones are read in a line; moving on never passes over a missing answer.

const PAUSE = 350; // ms between a complete answer and the next question, so that the eye sees what was chosen
let moving = 0;

export const aspects = (work) => [...work.querySelectorAll(".aspect")];
const current = (work) => work.querySelector(".aspect[data-open]");
const filled = (control) => (control.matches("[type=radio], [type=checkbox]") ? control.checked : control.value.trim() !== "");

// ---- has it been answered?

const has = (scope) => (scope.matches("[data-choice]") ? filled(scope) : [...scope.querySelectorAll("[data-choice]")].some(filled));

export function answered(aspect) {
  const rows = [...aspect.querySelectorAll("[data-row]")];
  const scopes = rows.length ? rows : [aspect];
  const none = aspect.querySelector("[data-none]");
  const done = none ? none.checked || aspect.querySelector("[data-mark]:checked, [data-edited]") : scopes.every(has);
  const sure = !("needsConfidence" in aspect.dataset) || aspect.querySelector('[name$=".confidence"]:checked');
  aspect.toggleAttribute("data-answered", Boolean(done && sure));
  if (done && sure) aspect.removeAttribute("data-wrong");
  write(aspect);
  label(aspect.closest(".work"));
  return Boolean(done && sure);
}

const isRequired = (aspect) => "required" in aspect.dataset;
const isAnswered = (aspect) => "answered" in aspect.dataset;
export const firstMissing = (work) => aspects(work).find((aspect) => isRequired(aspect) && !isAnswered(aspect));

// ---- the line that a finished question becomes

function words(label) {
  return (label.querySelector("span") ?? label).textContent.trim();
}

function rowLine(row) {
  const control = row.matches("textarea") ? row : row.querySelector("[data-choice]:checked, input[type=number]");
  const named = row.dataset.place ?? row.querySelector(".what")?.textContent;
  return control?.value ? `${named}: ${(control.dataset.words ?? control.value).slice(0, 40)}` : "";
}

function rankLine(rows) {
  const tiers = new Map();
  for (const row of rows) {
    const rank = row.querySelector("[data-choice]:checked, input[type=number]")?.value;
    if (rank) tiers.set(Number(rank), [...(tiers.get(Number(rank)) ?? []), row.dataset.place]);
  }
  return [...tiers].sort(([a], [b]) => a - b).map(([, places]) => places.join(" = ")).join(" > ");
}

// How often each label was given: "right 4 · wrong 1".
function tally(rows) {
  const said = new Map();
  for (const row of rows) {
    const label = row.querySelector("[data-choice]:checked")?.value;
    if (label) said.set(label, (said.get(label) ?? 0) + 1);
  }
  return [...said].map(([label, times]) => `${label} ${times}`).join(" · ");
}

function mainLine(aspect) {
  const rows = [...aspect.querySelectorAll("[data-row]")];
  if (aspect.querySelector("[data-grid=rank]")) return rankLine(rows);
  if (aspect.querySelector("[data-segments]")) return tally(rows);
  if (rows.length) return rows.map(rowLine).filter(Boolean).join(" · ");
  const chosen = [...aspect.querySelectorAll("[data-choice]:checked")].map((control) => words(control.parentElement));
  const typed = [...aspect.querySelectorAll("textarea[data-choice]")].map((area) => area.value.trim().slice(0, 60)).filter(Boolean);
  const counted = [...aspect.querySelectorAll("[data-counted]")].map((count) => count.textContent).filter(Boolean);
  const marked = [...aspect.querySelectorAll("[data-mark]:checked")].map((mark) => mark.value.split(":").slice(3).join(":"));
  const none = [...aspect.querySelectorAll("[data-js] [data-none]:checked, [data-edit] [data-none]:checked")].map((tick) => words(tick.parentElement));
  return [...chosen, ...typed, ...counted, ...marked, ...none].join(", ");
}

function write(aspect) {
  const line = aspect.querySelector(".line");
  const sure = aspect.querySelector('[name$=".confidence"]:checked');
  const reasons = [...aspect.querySelectorAll('[name$=".reasons"]:checked')].map((box) => box.value);
  const own = aspect.querySelector(".words")?.value.trim();
  const parts = [mainLine(aspect), sure && words(sure.parentElement), ...reasons, own && `“${own.slice(0, 60)}”`];
  line.textContent = parts.filter(Boolean).join(" · ");
}

// ---- opening

export function openAspect(aspect) {
  clearTimeout(moving);
  for (const other of aspects(aspect.closest(".work"))) {
    const open = other === aspect;
    other.toggleAttribute("data-open", open);
    other.querySelector(".name[data-do]")?.setAttribute("aria-expanded", open);
  }
  aspect.dispatchEvent(new CustomEvent("aspect:open", { bubbles: true }));
  label(aspect.closest(".work"));
  hold(aspect.closest(".aspects"));
}

// The dock keeps the height of its tallest question, so that nothing jumps under the eye.
function hold(box) {
  const tallest = Math.max(Number(box.dataset.tallest ?? 0), box.scrollHeight);
  box.dataset.tallest = tallest;
  if (matchMedia("(min-width: 761px)").matches) box.style.minHeight = `min(46dvh, ${tallest}px)`;
}

export function step(work, by) {
  const all = aspects(work);
  const next = all[all.indexOf(current(work)) + by];
  if (next) openAspect(next);
}

// The next question without an answer, after the open one and then from the start.
function nextOpen(work) {
  const all = aspects(work);
  const at = all.indexOf(current(work));
  const rest = [...all.slice(at + 1), ...all.slice(0, at + 1)];
  return rest.find((aspect) => isRequired(aspect) && !isAnswered(aspect));
}

// Opens the next question that needs an answer; false where there is none.
export function openNext(work) {
  const open = current(work);
  const next = nextOpen(work);
  if (!next) return false;
  if (next === open) { next.dataset.wrong = ""; next.querySelector("[data-choice]")?.focus(); return true; }
  if (open && isRequired(open) && !isAnswered(open)) { open.dataset.wrong = ""; return true; }
  openAspect(next);
  return true;
}

function label(work) {
  const words = work?.querySelector('[data-do="submit"] [data-final]');
  const next = nextOpen(work);
  if (words) words.textContent = next && next !== current(work) ? words.dataset.more : words.dataset.final;
}

// ---- after a change

function mayMove(aspect, control) {
  const policy = aspect.closest(".work").dataset.advance;
  if (policy === "never" || !control.matches("[data-choice][type=radio], [name$='.confidence']")) return false;
  return policy === "choice" || !("lingers" in aspect.dataset);
}

export function settle(control) {
  const aspect = control.closest?.(".aspect");
  if (!aspect) return;
  const done = answered(aspect);
  clearTimeout(moving);
  if (done && mayMove(aspect, control)) {
    moving = setTimeout(() => { if (aspect.isConnected && "open" in aspect.dataset && nextOpen(aspect.closest(".work"))) openNext(aspect.closest(".work")); }, PAUSE);
  }
}

export function refreshAll(work) {
  for (const aspect of aspects(work)) answered(aspect);
  label(work);
}

// A label that is clicked again while chosen lets go of an optional answer.
export function startAspects() {
  document.addEventListener("click", (event) => {
    const control = event.target.closest?.("label")?.querySelector("input[type=radio]");
    if (control && control.checked && control.dataset.was === "on") return release(control, event);
    if (control) for (const twin of document.getElementsByName(control.name)) twin.dataset.was = twin === control ? "on" : "";
  });
}

function release(control, event) {
  const optional = control.name.endsWith(".confidence") || !("required" in control.closest(".aspect").dataset);
  if (!optional || event.target === control) return;
  event.preventDefault();
  control.checked = false;
  control.dataset.was = "";
  control.dispatchEvent(new Event("change", { bubbles: true }));
}
