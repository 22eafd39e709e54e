// What is saved where: the chip that says so, and the places in the browser that keep the rest.

const BOX = "switchyard.outbox";

export const waiting = () => JSON.parse(localStorage.getItem(BOX) ?? "[]");
export const keep = (box) => localStorage.setItem(BOX, JSON.stringify(box));
export const draftOf = (assignment) => `switchyard.draft.${assignment}`;
export const forget = (assignment) => localStorage.removeItem(draftOf(assignment));

export function show(state) {
  const chip = document.getElementById("saved");
  if (!chip) return;
  const left = waiting().length;
  chip.dataset.state = state;
  chip.lastElementChild.textContent = chip.dataset[state] + (state === "offline" && left ? ` · ${left} ${chip.dataset.waiting}` : "");
}
