// Sound and film in a pair: with the scroll lock on, both play, pause and seek together.

const led = new WeakSet(); // those whose next seek was ours, and leads nobody

function others(screen, node) {
  if (!("locked" in screen.dataset)) return [];
  const place = (one) => [...one.closest(".pane").querySelectorAll("audio, video")].indexOf(one);
  return [...screen.querySelectorAll(".pane :is(audio, video)")].filter((one) => one !== node && one.closest(".pane") !== node.closest(".pane") && place(one) === place(node));
}

function seek(other, node) {
  if (other.readyState) led.add(other); // before it knows its length a seek tells nobody
  other.currentTime = node.currentTime;
}

// Each acts only where the other differs, so that its answer ends the exchange however late its events come.
const acts = {
  play: (other, node) => { if (other.paused) { seek(other, node); other.play(); } },
  pause: (other) => { if (!other.paused) other.pause(); },
  ratechange: (other, node) => { if (other.playbackRate !== node.playbackRate) other.playbackRate = node.playbackRate; },
  seeked: seek,
};

export function startMedia(screen) {
  for (const node of screen.querySelectorAll(".pane :is(audio, video)")) {
    for (const [name, act] of Object.entries(acts)) {
      node.addEventListener(name, () => {
        if (name === "seeked" && led.delete(node)) return;
        for (const other of others(screen, node)) act(other, node);
      });
    }
    if (!node.paused) for (const other of others(screen, node)) acts.play(other, node); // was quicker than this script
  }
}
