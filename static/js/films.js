// Films side by side, as of robots or games: one clock for all of them, moved by the transport, by keys, or by any
// film's own controls. The longest film is the clock; a shorter one holds its last picture.

const DRIFT = 0.06; // s between two films before one is set right
const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];
const USUAL_FRAME = 1 / 30; // s, until the films have shown how long theirs last
const FAR = 1e7; // s: a recording that does not say how long it is tells when it is sent to its end

const clockText = (seconds) => `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
const length = (film) => (Number.isFinite(film.duration) ? film.duration : 0);

class Transport {
  constructor(screen, box) {
    this.films = [...screen.querySelectorAll(".pane video")];
    this.box = box;
    this.bar = box.querySelector("[data-film-time]");
    this.speed = 1;
    this.frame = USUAL_FRAME;
    this.playing = false;
    this.target = 0; // s: where we put the films, to tell our own seeking from theirs
    for (const film of this.films) this.listen(film);
    box.addEventListener("click", (event) => { const button = event.target.closest("[data-film]"); if (button) this.run(button.dataset.film); });
    this.bar.addEventListener("input", () => this.seek(Number(this.bar.value)));
    screen.addEventListener("film", (event) => this.run(event.detail));
    this.show();
  }

  get leader() { return this.films.reduce((one, other) => (length(other) > length(one) ? other : one)); }
  get end() { return length(this.leader); }
  get now() { return this.leader.currentTime; }

  run(action) {
    const acts = {
      play: () => (this.playing ? this.pause() : this.play()),
      rewind: () => this.seek(0),
      frame_back: () => this.step(-this.frame), frame_on: () => this.step(this.frame),
      second_back: () => this.seek(this.now - 1), second_on: () => this.seek(this.now + 1),
      slower: () => this.pace(-1), faster: () => this.pace(1),
    };
    acts[action]?.();
  }

  play() {
    if (this.now >= this.end - this.frame) this.seek(0);
    this.playing = true;
    for (const film of this.films) {
      film.playbackRate = this.speed;
      if (film.currentTime < length(film)) film.play().catch(() => this.pause());
    }
    this.watch();
    this.show();
  }

  pause() {
    this.playing = false;
    for (const film of this.films) film.pause();
    this.seek(this.now);
  }

  step(by) {
    if (this.playing) this.pause();
    this.seek((Math.round(this.now / this.frame) + Math.sign(by)) * this.frame + this.frame / 100); // just inside the frame
  }

  seek(wanted) {
    this.target = Math.min(Math.max(0, wanted), this.end);
    for (const film of this.films) film.currentTime = this.place(film);
    this.show(this.target);
  }

  pace(by) {
    const at = SPEEDS.findIndex((speed) => speed >= this.speed) + by;
    this.follow(SPEEDS[Math.min(Math.max(0, at), SPEEDS.length - 1)]);
  }

  follow(speed) {
    this.speed = speed;
    for (const film of this.films) film.playbackRate = this.speed;
    this.show();
  }

  // Where a film should stand.
  place(film) { return Math.min(this.target, length(film)); }

  isAstray(film, most) { return Math.abs(film.currentTime - this.place(film)) > most * Math.max(1, this.speed); }

  // While they play: the clock is shown, and who drifts is set right.
  watch() {
    if (!this.playing || !this.box.isConnected) return;
    this.target = this.now;
    for (const film of this.films) if (this.isAstray(film, DRIFT)) film.currentTime = this.place(film);
    if (this.leader.ended) this.pause();
    this.show();
    setTimeout(() => this.watch(), 100);
  }

  show(time = this.now) {
    this.bar.max = this.end;
    this.bar.value = time;
    this.bar.setAttribute("aria-valuetext", clockText(time));
    this.box.querySelector("[data-film-clock]").textContent = `${clockText(time)} / ${clockText(this.end)}`;
    this.box.querySelector("[data-film-speed]").textContent = `${this.speed}×`;
    this.box.querySelector('[data-film="play"]').setAttribute("aria-pressed", this.playing);
  }

  // A film's own controls move the others too; a recording without a length is made to tell it.
  listen(film) {
    film.addEventListener("play", () => { if (!this.playing) this.play(); });
    film.addEventListener("pause", () => { if (this.playing && film.paused && !film.ended) this.pause(); });
    film.addEventListener("seeking", () => { if (!("telling" in film.dataset) && this.isAstray(film, this.playing ? 0.3 : DRIFT)) this.seek(film.currentTime); });
    film.addEventListener("ratechange", () => { if (film.playbackRate !== this.speed) this.follow(film.playbackRate); });
    film.addEventListener("durationchange", () => this.show());
    film.addEventListener("loadedmetadata", () => tellLength(film));
    if (film.readyState > 0) tellLength(film);
    this.measure(film);
  }

  // The shortest time between two pictures is how long one lasts.
  measure(film) {
    let before = null;
    const seen = (_now, { mediaTime }) => {
      const lasted = before === null ? 0 : mediaTime - before;
      if (this.playing && lasted > 0.004 && lasted < 0.5) this.frame = this.measured ? Math.min(this.frame, lasted) : lasted;
      this.measured ||= this.playing && lasted > 0.004;
      before = mediaTime;
      film.requestVideoFrameCallback(seen);
    };
    film.requestVideoFrameCallback?.(seen);
  }
}

function tellLength(film) {
  if (film.duration !== Infinity) return;
  film.dataset.telling = "";
  film.addEventListener("durationchange", () => { film.currentTime = 0; delete film.dataset.telling; }, { once: true });
  film.currentTime = FAR;
}

export function startFilms(screen) {
  const box = screen.querySelector("[data-transport]");
  if (box) new Transport(screen, box);
}
