// Word-level differences between two responses. Neither is the older: the left one's own words get a dotted line, the right one's a solid one.

const LIMIT = 9e6; // cells of the comparison table; beyond, words that the other text lacks are marked
const RUN = 3; // common words in a row that count as common; fewer between differences are noise

const SKIP = ".math, .katex, .d";

// `[{word, node, start, end}]` of a pane's text.
function tokens(pane) {
  const walker = document.createTreeWalker(pane, NodeFilter.SHOW_TEXT, (node) =>
    node.parentElement.closest(SKIP) ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const hit of node.data.matchAll(/[\u3040-\u30ff\u3400-\u9fff]|[\p{L}\p{N}\p{M}'’]+|[^\s\p{L}\p{N}]/gu)) {
      found.push({ word: hit[0].toLowerCase(), node, start: hit.index, end: hit.index + hit[0].length });
    }
  }
  return found;
}

// For each of `a` and `b`, whether the word is common to both (longest common subsequence).
function common(a, b) {
  const inA = new Uint8Array(a.length);
  const inB = new Uint8Array(b.length);
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const at = i * width + j;
      table[at] = a[i] === b[j] ? table[at + width + 1] + 1 : Math.max(table[at + width], table[at + 1]);
    }
  }
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) { inA[i++] = 1; inB[j++] = 1; }
    else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) i += 1;
    else j += 1;
  }
  return [inA, inB];
}

function byPresence(a, b) {
  const [left, right] = [new Set(a), new Set(b)];
  return [Uint8Array.from(a, (word) => right.has(word)), Uint8Array.from(b, (word) => left.has(word))];
}

// Short common runs between differences are marked too, so that phrases stay whole.
function smooth(flags) {
  for (let start = 0; start < flags.length;) {
    let end = start;
    while (end < flags.length && flags[end] === flags[start]) end += 1;
    if (flags[start] && end - start < RUN && start > 0 && end < flags.length) flags.fill(0, start, end);
    start = end;
  }
  return flags;
}

function wrap(list, flags, tag) {
  const spans = [];
  list.forEach((token, at) => {
    const last = spans.at(-1);
    if (flags[at]) return;
    if (last && last.node === token.node && last.at === at - 1) Object.assign(last, { end: token.end, at });
    else spans.push({ ...token, at });
  });
  for (const span of spans.reverse()) {
    const range = new Range();
    range.setStart(span.node, span.start);
    range.setEnd(span.node, span.end);
    const mark = document.createElement(tag);
    mark.className = "d";
    range.surroundContents(mark);
  }
}

function clear(work) {
  for (const mark of work.querySelectorAll(".pane .d")) {
    const parent = mark.parentNode;
    mark.replaceWith(...mark.childNodes);
    parent.normalize();
  }
}

export function differences(left, right) {
  const [a, b] = [tokens(left), tokens(right)];
  const [wordsA, wordsB] = [a.map((token) => token.word), b.map((token) => token.word)];
  const compare = a.length * b.length <= LIMIT ? common : byPresence;
  const [inA, inB] = compare(wordsA, wordsB);
  wrap(a, smooth(inA), "ins");
  wrap(b, smooth(inB), "ins");
}

// The parts `[sign, text]` of an edit, as the ledger holds them.
export function changes(before, after) {
  const cut = (text) => text.match(/\s+|[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|[^]/gu) ?? [];
  const [a, b] = [cut(before), cut(after)];
  if (a.length * b.length > LIMIT) return [["-", before], ["+", after]];
  const [inA, inB] = common(a, b);
  const parts = [];
  const push = (sign, text) => { const last = parts.at(-1); if (last?.[0] === sign) last[1] += text; else parts.push([sign, text]); };
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && !inA[i]) push("-", a[i++]);
    else if (j < b.length && !inB[j]) push("+", b[j++]);
    else { push("=", a[i++]); j += 1; }
  }
  return parts;
}

export function toggleDifferences(work) {
  const [left, right] = work.querySelectorAll(".pane > .body");
  const button = work.querySelector('[data-do="differences"]');
  if (!left || !right || !button) return;
  const on = button.getAttribute("aria-pressed") !== "true";
  clear(work);
  if (on) differences(left, right);
  button.setAttribute("aria-pressed", on);
}
