// Marking words in a response: select them with the pointer or with the arrow keys, then press a label's key.
// Offsets count Unicode characters of the stored text; what is written out for the reader says how many it stands for.
import { answered } from "./aspects.js";

const pane = (node) => (node?.nodeType === Node.ELEMENT_NODE ? node : node?.parentElement)?.closest(".pane [data-text]");
const count = (text) => [...text].length;

// How many characters of the stored text lie before a point.
function offset(root, node, at) {
  const range = new Range();
  range.setStart(root, 0);
  range.setEnd(node, at);
  const before = range.cloneContents();
  let total = 0;
  for (const odd of before.querySelectorAll("[data-length]")) {
    total += Number(odd.dataset.length);
    odd.remove();
  }
  return total + count(before.textContent);
}

// The point that lies `wanted` characters into the stored text.
function point(root, wanted) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ALL);
  let left = wanted;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.nodeType === Node.TEXT_NODE && !node.parentElement.closest("[data-length]")) {
      const size = count(node.data);
      if (left <= size) return [node, [...node.data].slice(0, left).join("").length];
      left -= size;
    } else if (node.dataset?.length) left -= Number(node.dataset.length);
  }
  return [root, root.childNodes.length];
}

// ---- painting marks over the text, without touching it

function paint(screen) {
  if (!CSS.highlights) return;
  const ranges = new Map();
  for (const mark of screen.querySelectorAll("[data-mark]:checked")) {
    const [index, start, end, ...label] = mark.value.split(":");
    const root = screen.querySelector(`.pane[data-index="${index}"] [data-text]`);
    if (!root) continue;
    const range = new Range();
    range.setStart(...point(root, Number(start)));
    range.setEnd(...point(root, Number(end)));
    const key = screen.querySelector(`[data-label="${CSS.escape(label.join(":"))}"]`)?.dataset.key ?? "1";
    ranges.set(key, [...(ranges.get(key) ?? []), range]);
  }
  for (let key = 1; key <= 9; key += 1) CSS.highlights.set(`mark-${key}`, new Highlight(...(ranges.get(String(key)) ?? [])));
}

// ---- making a mark

function chosen() {
  const selection = getSelection();
  const root = pane(selection.anchorNode);
  if (!root || selection.isCollapsed || pane(selection.focusNode) !== root) return null;
  const range = selection.getRangeAt(0);
  const text = range.toString();
  const lead = count(text) - count(text.trimStart());
  const tail = count(text) - count(text.trimEnd());
  const start = offset(root, range.startContainer, range.startOffset) + lead;
  const end = offset(root, range.endContainer, range.endOffset) - tail;
  return start < end ? { root, start, end, text: text.trim() } : null;
}

function add(box, label) {
  const found = chosen();
  if (!found) return;
  const article = found.root.closest(".pane");
  const item = document.createElement("li");
  const line = Object.assign(document.createElement("label"), { className: "check" });
  const tick = Object.assign(document.createElement("input"), { type: "checkbox", name: box.dataset.marks, value: `${article.dataset.index}:${found.start}:${found.end}:${label}`, checked: true });
  tick.dataset.mark = "";
  const words = document.createElement("span");
  words.append(Object.assign(document.createElement("b"), { textContent: label }), ` ${box.dataset.response} ${article.dataset.place}: `, Object.assign(document.createElement("q"), { textContent: found.text.slice(0, 80) }));
  line.append(tick, words);
  item.append(line);
  box.querySelector("[data-marked]").append(item);
  box.querySelector("[data-none]").checked = false;
  getSelection().collapseToEnd();
  tick.dispatchEvent(new Event("change", { bubbles: true }));
}

// ---- moving from word to word

function move(event) {
  const box = document.querySelector(".aspect[data-open] [data-marks]");
  if (!box || event.target.matches("input, textarea, select") || event.ctrlKey || event.altKey) return;
  if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  event.preventDefault();
  const selection = getSelection();
  if (!pane(selection.anchorNode)) selection.collapse(document.querySelector(".pane [data-text]"), 0);
  const way = event.key === "ArrowRight" ? "forward" : "backward";
  if (event.shiftKey) return selection.modify("extend", way, "word");
  if (way === "forward") selection.collapseToEnd(); else selection.collapseToStart();
  selection.modify("move", way, "word");
  if (way === "forward") selection.modify("move", "backward", "word");
  selection.modify("extend", "forward", "word");
  if (way === "forward" && selection.toString().trim() === "") selection.modify("extend", "forward", "word");
}

function changed(screen, box) {
  paint(screen);
  answered(box.closest(".aspect"));
}

document.addEventListener("keydown", move);

export function startMarks(screen) {
  for (const box of screen.querySelectorAll("[data-marks]")) {
    box.addEventListener("click", (event) => { const label = event.target.closest("[data-label]"); if (label) add(box, label.dataset.label); });
    box.addEventListener("mousedown", (event) => { if (event.target.closest("[data-label]")) event.preventDefault(); });
    box.addEventListener("change", () => changed(screen, box));
    answered(box.closest(".aspect"));
  }
  paint(screen);
}
