// Scroll lock: the panes follow one another by aligned paragraphs, not by pixels.

const MOST = 120; // blocks a pane that are aligned; longer texts follow in proportion

const bodies = (work) => [...work.querySelectorAll(".pane > .body")];
const blocks = (body) => [...body.querySelectorAll(".answer > *, .answer li")].slice(0, MOST);
const bag = (block) => new Set(block.textContent.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []);

function overlap(a, b) {
  let shared = 0;
  for (const word of a) if (b.has(word)) shared += 1;
  return shared / Math.max(1, Math.min(a.size, b.size));
}

// Pairs of blocks that say alike things, in order: the best monotone matching by shared words.
function match(left, right) {
  const score = left.map((a) => right.map((b) => { const like = overlap(a, b); return like > 0.35 ? like : 0; }));
  const best = Array.from({ length: left.length + 1 }, () => new Float64Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      best[i][j] = Math.max(best[i + 1][j], best[i][j + 1], score[i][j] ? score[i][j] + best[i + 1][j + 1] : 0);
    }
  }
  const pairs = [];
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    if (score[i][j] && best[i][j] === score[i][j] + best[i + 1][j + 1]) pairs.push([i++, j++]);
    else if (best[i][j] === best[i + 1][j]) i += 1;
    else j += 1;
  }
  return pairs;
}

// Anchors `[y in a, y in b]` from top to bottom.
function anchors(a, b) {
  const [left, right] = [blocks(a), blocks(b)];
  const top = (body, block) => block.getBoundingClientRect().top - body.getBoundingClientRect().top + body.scrollTop;
  const inner = match(left.map(bag), right.map(bag)).map(([i, j]) => [top(a, left[i]), top(b, right[j])]);
  return [[0, 0], ...inner, [a.scrollHeight, b.scrollHeight]];
}

function follow(points, y) {
  let at = points.findIndex(([from]) => from > y);
  if (at < 1) at = points.length - 1;
  const [[x0, y0], [x1, y1]] = [points[at - 1], points[at]];
  return y0 + ((y - x0) / Math.max(1, x1 - x0)) * (y1 - y0);
}

let leader = null;

function lead(work, body) {
  const top = body.scrollTop;
  const ends = top + body.clientHeight >= body.scrollHeight - 1;
  for (const other of bodies(work)) {
    if (other === body) continue;
    other.scrollTop = ends ? other.scrollHeight : follow(anchors(body, other), top);
  }
}

function onScroll(event) {
  const work = document.getElementById("work");
  if (!("locked" in work.dataset) || !event.target.matches?.(".pane > .body")) return;
  if (leader !== event.target) return; // a follower's own scroll event
  lead(work, event.target);
}

document.addEventListener("scroll", onScroll, { capture: true, passive: true });
for (const name of ["wheel", "pointerdown", "touchstart", "keydown", "focusin"]) {
  document.addEventListener(name, (event) => { leader = event.target.closest?.(".pane > .body") ?? leader; }, { capture: true, passive: true });
}

function remember(locked) {
  localStorage.setItem("switchyard.lock", locked ? "on" : "off");
}

function show(work, locked) {
  work.toggleAttribute("data-locked", locked);
  work.querySelector('[data-do="lock"]')?.setAttribute("aria-pressed", locked);
}

export function toggleLock(work) {
  const locked = !("locked" in work.dataset);
  show(work, locked);
  remember(locked);
}

// The choice stays from one instance to the next.
export function alignTexts(work) {
  show(work, localStorage.getItem("switchyard.lock") === "on");
}
