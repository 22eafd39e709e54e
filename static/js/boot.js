// Runs before the first paint, so that what only scripts can work is never shown without them.
document.documentElement.dataset.js = "";
