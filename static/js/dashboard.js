// A slider says its value beside itself. Everything else on the dashboard works by htmx, or without scripts.
document.addEventListener("input", ({ target }) => {
  const shown = target.dataset?.shows && document.getElementById(target.dataset.shows);
  if (shown) shown.textContent = `${target.value} %`;
});
