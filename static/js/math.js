// Mathematics, typeset where a page has some. KaTeX builds nodes and sets properties, so no inline style is parsed.

const SETTINGS = { throwOnError: false, maxExpand: 300, maxSize: 20, trust: false };

function add(name, attributes) {
  return new Promise((resolve, reject) => {
    const node = Object.assign(document.createElement(name), attributes, { onload: resolve, onerror: reject });
    document.head.append(node);
  });
}

let loading = null;

function load({ katexJs, katexCss }) {
  loading ??= Promise.all([add("script", { src: katexJs }), add("link", { rel: "stylesheet", href: katexCss })]);
  return loading;
}

export async function typeset(screen) {
  await load(screen.dataset);
  for (const node of document.querySelectorAll(".math:not([data-set])")) {
    const source = node.textContent;
    node.dataset.set = "";
    window.katex.render(source, node, { ...SETTINGS, displayMode: node.classList.contains("block") });
  }
}
