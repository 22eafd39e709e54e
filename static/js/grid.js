// Rows of responses: a number answers the row at hand and moves to the next; ranks can be dragged as well.

const rowsOf = (grid) => [...grid.querySelectorAll("[data-row]")];
const choice = (row) => row.querySelector("[data-choice]:checked, input[type=number]");
const isSet = (row) => Boolean(choice(row)?.value);

export function setCurrent(row) {
  for (const other of rowsOf(row.closest("[data-grid]"))) other.toggleAttribute("data-current", other === row);
}

function moveOn(row) {
  const rows = rowsOf(row.closest("[data-grid]"));
  const rest = [...rows.slice(rows.indexOf(row) + 1), ...rows];
  setCurrent(rest.find((other) => !isSet(other)) ?? row);
}

export function startGrids(work) {
  for (const grid of work.querySelectorAll("[data-grid]")) {
    const rows = rowsOf(grid);
    setCurrent(rows.find((row) => !isSet(row)) ?? rows[0]);
    grid.addEventListener("change", (event) => changed(event.target.closest("[data-row]"), event.target));
    grid.addEventListener("focusin", (event) => { const row = event.target.closest("[data-row]"); if (row) setCurrent(row); });
    grid.addEventListener("input", (event) => slide(event.target));
    for (const row of rows) gist(work, row);
    grid.addEventListener("row:type", (event) => type(event.target, event.detail));
    grid.addEventListener("row:tenths", (event) => tenths(event.target, event.detail));
    if (grid.dataset.grid === "rank") for (const row of rows) startDrag(row);
  }
}

// The first words of a response beside its name, so that nobody has to count panes.
function gist(work, row) {
  const place = row.querySelector("[data-gist]");
  const text = work.querySelector(`.pane[data-place="${row.dataset.place}"] .answer`)?.textContent.trim() ?? "";
  if (place) place.textContent = text.replace(/\s+/g, " ").slice(0, 120);
}

function changed(row, control) {
  if (row && control.matches("[data-choice]")) moveOn(row);
}

// ---- sliders: the range drives the number, which is what is posted

function slide(control) {
  const row = control.closest("[data-row]");
  const number = row?.querySelector("[data-number]");
  const range = row?.querySelector("[data-slider]");
  if (!number || !range) return;
  if (control === range) number.value = range.value; else range.value = number.value;
  if (control === range) number.dispatchEvent(new Event("input", { bubbles: true }));
}

// The first digit of a number that is typed; the field takes the rest.
function type(row, digit) {
  const number = row.querySelector("input[type=number]");
  number.value = digit;
  number.focus();
  number.dispatchEvent(new Event("input", { bubbles: true }));
}

// Enter in a number goes to the next row's; false after the last.
export function nextNumber(field) {
  const rows = rowsOf(field.closest("[data-grid]"));
  const next = rows[rows.indexOf(field.closest("[data-row]")) + 1]?.querySelector("input[type=number]");
  if (!next) return false;
  next.focus();
  next.select();
  return true;
}

function tenths(row, count) {
  const number = row.querySelector("[data-number]");
  const range = row.querySelector("[data-slider]");
  range.value = Number(range.min) + (count / 10) * (Number(range.max) - Number(range.min));
  number.value = range.value;
  number.dispatchEvent(new Event("change", { bubbles: true }));
}

// ---- ranks

const rankOf = (row) => Number(choice(row)?.value ?? 0);

function setRank(row, rank) {
  const radio = row.querySelector(`[data-choice][value="${rank}"][type=radio]`);
  if (radio) radio.checked = true; else row.querySelector("[data-choice]").value = rank;
}

// The rows in tiers, best first; those without a rank follow, each alone.
function tiersOf(grid) {
  const rows = rowsOf(grid);
  const ranked = [...new Set(rows.map(rankOf).filter(Boolean))].sort((a, b) => a - b);
  return [...ranked.map((rank) => rows.filter((row) => rankOf(row) === rank)), ...rows.filter((row) => !rankOf(row)).map((row) => [row])];
}

function writeTiers(grid, tiers) {
  tiers.forEach((tier, at) => {
    for (const row of tier) setRank(row, at + 1);
  });
  const rows = tiers.flat();
  grid.querySelector(".how").before(...rows);
  rows[0].querySelector("[data-choice]").dispatchEvent(new Event("change", { bubbles: true }));
}

// Where a row would land: on another (a tie), before it or after it.
function target(grid, row, y) {
  for (const other of rowsOf(grid)) {
    const box = other.getBoundingClientRect();
    if (other === row || y < box.top || y > box.bottom) continue;
    const part = (y - box.top) / box.height;
    const tie = grid.dataset.ties === "yes" && part > 0.3 && part < 0.7;
    return { other, how: tie ? "tie" : part < 0.5 ? "before" : "after" };
  }
  return null;
}

function drop(grid, row, { other, how }) {
  const tiers = tiersOf(grid).map((tier) => tier.filter((one) => one !== row)).filter((tier) => tier.length);
  const at = tiers.findIndex((tier) => tier.includes(other));
  if (how === "tie") tiers[at].push(row); else tiers.splice(how === "before" ? at : at + 1, 0, [row]);
  writeTiers(grid, tiers);
}

function startDrag(row) {
  const grid = row.closest("[data-grid]");
  const handle = row.querySelector(".handle");
  const clear = () => { for (const other of rowsOf(grid)) delete other.dataset.land; };
  handle.addEventListener("pointerdown", (event) => { handle.setPointerCapture(event.pointerId); row.dataset.dragged = ""; event.preventDefault(); });
  handle.addEventListener("pointermove", (event) => {
    if (!("dragged" in row.dataset)) return;
    clear();
    const landing = target(grid, row, event.clientY);
    if (landing) landing.other.dataset.land = landing.how;
  });
  handle.addEventListener("pointerup", (event) => {
    const landing = target(grid, row, event.clientY);
    delete row.dataset.dragged;
    clear();
    if (landing) drop(grid, row, landing);
  });
  handle.addEventListener("pointercancel", () => { delete row.dataset.dragged; clear(); });
}

// A ranking that nobody moved is asked about once; the second submission takes the order as shown. False: ask first.
export function untouchedOnce(dock) {
  for (const grid of dock.querySelectorAll("[data-grid=rank]")) {
    if (rowsOf(grid).some(rankOf) || !("required" in grid.closest(".aspect").dataset)) continue;
    const warning = grid.querySelector("[data-untouched-warning]");
    if (warning.hidden) {
      warning.hidden = false;
      return false;
    }
    grid.querySelector("[data-untouched]").value = "1";
    writeTiers(grid, rowsOf(grid).map((row) => [row]));
  }
  return true;
}
