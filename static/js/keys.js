// Keys: never while a text is typed, digits by their place on the keyboard, letters in any script's layout.

import { nextNumber } from "./grid.js";

const TYPED = "textarea, select, [contenteditable], input:not([type=radio], [type=checkbox], [type=range], [type=button], [type=submit])";

function digit(event) {
  return /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
}

// The key's name: a digit (also of the number pad), a letter, or a lower-case name such as "enter".
export function named(event) {
  const number = digit(event);
  if (number !== undefined) return number;
  const key = event.key.toLowerCase();
  if (key.length === 1 && key > "\u007f" && /^Key[A-Z]$/.test(event.code)) return event.code.slice(3).toLowerCase();
  return key;
}

function handlesEnter(target) {
  return target.matches("button, a[href], summary, [contenteditable]") && target.dataset.do !== "submit";
}

// Where an answer's key is looked for: an open panel, the row at hand, the open question.
function scopes() {
  const work = document.getElementById("work");
  const panel = work.querySelector("details[data-panel][open]");
  if (panel) return [panel];
  const aspect = work.querySelector(".aspect[data-open]");
  return aspect ? [aspect.querySelector("[data-row][data-current]"), aspect] : [];
}

function find(name) {
  for (const scope of scopes()) {
    const control = scope?.querySelector(`[data-key="${CSS.escape(name)}"]`);
    if (control) return control;
  }
  return null;
}

// A digit on a slider's row sets as many tenths of its scale; on the row of a number it begins that number.
function counts(event) {
  const row = scopes()[0];
  const number = digit(event);
  if (number === undefined || event.shiftKey || !row?.querySelector("input[type=number]")) return false;
  const name = row.querySelector("[data-slider]") ? "row:tenths" : "row:type";
  row.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: Number(number) }));
  return true;
}

function press(control) {
  const input = control.querySelector("input") ?? control;
  if (input.type === "radio" && input.checked) return input.dispatchEvent(new Event("change", { bubbles: true }));
  control.click();
}

function escape(event) {
  for (const panel of document.querySelectorAll("details.menu[open]")) panel.open = false;
  document.getElementById("guidelines")?.removeAttribute("data-shown");
  if (event.target.matches(TYPED)) event.target.blur();
}

export function startKeys(doing) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || event.defaultPrevented) return;
    if (event.key === "Escape") return escape(event);
    const typing = event.target.matches?.(TYPED);
    if (event.key === "Enter" && event.target.matches?.("[data-row] input[type=number]") && nextNumber(event.target)) return event.preventDefault();
    const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey || (typing && !event.target.matches("textarea, select")));
    if (sends && event.target.closest(".dock")) return run(doing.submit, event);
    if (typing || event.ctrlKey || event.metaKey) return;
    const name = named(event);
    if (name === "enter" && handlesEnter(event.target)) return;
    const control = find(digit(event) && event.shiftKey ? `shift+${name}` : name);
    if (control) return run(() => press(control), event);
    if (counts(event)) return event.preventDefault();
    const keys = JSON.parse(document.getElementById("work")?.dataset.keys ?? "{}");
    const action = Object.keys(keys).find((one) => keys[one] === name);
    if (action && doing[action] && (!event.repeat || action.startsWith("film_"))) run(doing[action], event);
  });
}

function run(act, event) {
  event.preventDefault();
  act();
}
