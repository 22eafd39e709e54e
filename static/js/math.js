// Mathematics, typeset where a page has some. KaTeX builds nodes and sets properties, so no inline style is parsed.
import katex from "./vendor/katex/katex.mjs";

export function typeset(root) {
  for (const node of root.querySelectorAll(".math:not([data-set])")) {
    const source = node.textContent;
    node.dataset.set = "";
    katex.render(source, node, { displayMode: node.classList.contains("block"), throwOnError: false, maxExpand: 300, maxSize: 20, trust: false });
  }
}
