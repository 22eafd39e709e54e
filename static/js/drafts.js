// What was entered so far: kept in the browser at once, on the server within two seconds. The chip says which.
import { flush } from "./outbox.js";
import { draftOf as place, forget, show } from "./saved.js";

const PAUSE = 700; // ms after the last change
const BEAT = 4 * 60 * 1000; // ms between renewals of the lease while somebody works

const dock = () => document.querySelector(".dock");
const assignment = () => document.getElementById("work")?.dataset.assignment;

let timer = 0;
let lastBeat = Date.now();

// ---- keeping

const kept = (form) => [...new FormData(form)].filter(([name]) => !["csrfmiddlewaretoken", "key", "duration_ms", "skip_words", "flag_words"].includes(name));

function changed() {
  localStorage.setItem(place(assignment()), JSON.stringify(kept(dock())));
  show("saving");
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE);
}

async function save() {
  const form = dock();
  if (!form || "busy" in form.dataset) return;
  if (!form.dataset.draft) return show("saved");
  const held = assignment();
  const sent = localStorage.getItem(place(held));
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin", redirect: "manual" });
    if (answer.ok && localStorage.getItem(place(held)) === sent) forget(held);
    show(answer.ok ? "saved" : answer.status >= 500 || answer.type === "opaqueredirect" ? "offline" : "refused");
    if (!answer.ok && answer.status >= 500) retry();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    show("offline");
    retry();
  }
  beat(form);
}

function retry() {
  clearTimeout(timer);
  timer = setTimeout(save, 3000);
}

function beat(form) {
  if (!form.dataset.beat || Date.now() - lastBeat < BEAT) return;
  lastBeat = Date.now();
  fetch(form.dataset.beat, { method: "POST", body: new URLSearchParams([["csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value]]), credentials: "same-origin" }).catch(() => show("offline"));
}

// ---- putting back what the server has not seen

function restore() {
  const stored = localStorage.getItem(place(assignment()));
  if (!stored || !dock()) return;
  const fields = JSON.parse(stored);
  for (const control of dock().elements) {
    if (!control.name || control.type === "hidden") continue;
    const values = fields.filter(([name]) => name === control.name).map(([, value]) => value);
    if (control.matches("[type=radio], [type=checkbox]")) control.checked = values.includes(control.value);
    else if (values.length) control.value = values[0];
  }
  for (const control of dock().querySelectorAll("[type=hidden][data-kept]")) {
    control.value = fields.find(([name]) => name === control.name)?.[1] ?? control.value;
  }
  changed();
}

export function startDrafts() {
  for (const name of ["input", "change"]) {
    document.addEventListener(name, (event) => {
      if (event.target.name && event.target.closest?.(".dock .aspect")) changed();
    });
  }
  window.addEventListener("online", () => { if (dock()) save(); flush(); });
  window.addEventListener("pagehide", leave);
  restore();
}

function leave() {
  const form = dock();
  if (form?.dataset.draft && !("busy" in form.dataset) && localStorage.getItem(place(assignment()))) {
    navigator.sendBeacon(form.dataset.draft, new URLSearchParams(new FormData(form)));
  }
}
