// Sound and film in a pair: with the scroll lock on, both play, pause and seek together.

let leading = false;

function others(screen, node) {
  const place = (one) => [...one.closest(".pane").querySelectorAll("audio, video")].indexOf(one);
  return [...screen.querySelectorAll(".pane :is(audio, video)")].filter((one) => one !== node && one.closest(".pane") !== node.closest(".pane") && place(one) === place(node));
}

function follow(screen, node, act) {
  if (leading || !("locked" in screen.dataset)) return;
  leading = true;
  for (const other of others(screen, node)) act(other);
  setTimeout(() => { leading = false; }, 50);
}

export function startMedia(screen) {
  for (const node of screen.querySelectorAll(".pane :is(audio, video)")) {
    node.addEventListener("play", () => follow(screen, node, (other) => { other.currentTime = node.currentTime; other.play(); }));
    node.addEventListener("pause", () => follow(screen, node, (other) => other.pause()));
    node.addEventListener("seeked", () => follow(screen, node, (other) => { other.currentTime = node.currentTime; }));
    node.addEventListener("ratechange", () => follow(screen, node, (other) => { other.playbackRate = node.playbackRate; }));
  }
}
