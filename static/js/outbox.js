// Submissions that cannot be lost: kept in the browser until the server has answered, sent under one idempotency key.
import { forget, keep, show, waiting } from "./saved.js";

const PATIENCE = 20000; // ms for an answer
const EVERY = 3000; // ms between attempts while the server is out of reach

const take = (key) => keep(waiting().filter((item) => item.key !== key));

function token() {
  return document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
}

// The server's answer to a kept submission; throws where it cannot be reached.
async function post(item) {
  const body = new URLSearchParams(item.fields);
  body.set("csrfmiddlewaretoken", token());
  const answer = await fetch(item.url, { method: "POST", body, headers: { "HX-Request": "true" }, credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
  if (answer.status >= 500) throw new Error(`status ${answer.status}`);
  return answer;
}

function signedOut(answer) {
  return answer.redirected && new URL(answer.url).pathname.includes("/accounts/");
}

// A page of the same form with a fresh token, after a sign-in in another tab has changed it.
async function renewToken() {
  const page = await (await fetch(location.href, { credentials: "same-origin" })).text();
  const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("[name=csrfmiddlewaretoken]")?.value;
  for (const field of document.getElementsByName("csrfmiddlewaretoken")) field.value = fresh ?? field.value;
}

// Sends one; it is kept until the server has taken it or said why not.
async function send(item, again = true) {
  const answer = await post(item);
  if (signedOut(answer)) {
    location.href = answer.url.replace(/next=[^&]*/, `next=${encodeURIComponent(location.pathname)}`);
    return;
  }
  const html = await answer.text();
  if (answer.status === 403 && html.includes("csrf-failed") && again) {
    await renewToken();
    await send(item, false);
    return;
  }
  take(item.key);
  if (answer.ok) forget(item.assignment);
  const elsewhere = answer.headers.get("HX-Redirect");
  if (elsewhere) location.href = elsewhere; else arrive(html);
}

function arrive(html) {
  const work = document.getElementById("work");
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const next = holder.content.querySelector("#work");
  if (next) work.replaceWith(next);
  else work.querySelector("main").replaceChildren(holder.content); // a refusal: paused, not yours, gone
  document.dispatchEvent(new CustomEvent("work:arrived"));
  show(waiting().length ? "offline" : "saved");
}

export function submitWork(dock, submitter) {
  if ("busy" in dock.dataset) return;
  dock.dataset.busy = "";
  dock.elements.duration_ms.value = Math.round(performance.now() - Number(dock.closest(".work").dataset.since));
  const fields = [...new FormData(dock, submitter)].filter(([name]) => name !== "csrfmiddlewaretoken");
  const item = { key: dock.elements.key.value + (submitter?.formAction ?? ""), url: submitter?.getAttribute("formaction") ?? dock.getAttribute("action"), fields, assignment: dock.closest(".work").dataset.assignment };
  keep([...waiting().filter((other) => other.key !== item.key), item]);
  show("saving");
  flush();
}

let flushing = false;

export async function flush() {
  if (flushing) return;
  flushing = true;
  clearTimeout(flush.timer);
  try {
    for (const item of waiting()) await send(item);
    if (!waiting().length) show("saved");
  } catch (error) {
    if (!(error instanceof TypeError) && error.name !== "TimeoutError" && !/^status/.test(error.message)) throw error;
    show("offline");
    flush.timer = setTimeout(flush, EVERY);
  } finally {
    flushing = false;
  }
}

window.addEventListener("online", flush);
if (waiting().length) flush();
