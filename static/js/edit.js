// Rewriting: the words that changed, as they are typed. What is taken out is struck through, what is put in underlined.
import { answered } from "./aspects.js";
import { changes } from "./diff.js";

const original = (area) => area.parentElement.querySelector("[data-original]").content.textContent;

function draw(area) {
  const place = area.parentElement.querySelector("[data-diff]");
  const parts = changes(original(area), area.value);
  area.toggleAttribute("data-edited", parts.some(([sign]) => sign !== "="));
  place.replaceChildren(...("edited" in area.dataset ? parts.map(piece) : []));
  const words = parts.filter(([sign]) => sign !== "=").flatMap(([, text]) => text.match(/\S+/g) ?? []).length;
  area.parentElement.querySelector("[data-counted]").textContent = words ? `${words} ${area.closest("[data-edit]").dataset.words}` : "";
}

function piece([sign, text]) {
  if (sign === "=") return document.createTextNode(text);
  const mark = document.createElement(sign === "+" ? "ins" : "del");
  mark.className = "d";
  mark.textContent = text;
  return mark;
}

export function startEdits(screen) {
  for (const area of screen.querySelectorAll("[data-edit] [data-area]")) {
    draw(area);
    area.addEventListener("input", () => {
      draw(area);
      if ("edited" in area.dataset) area.closest("[data-edit]").querySelector("[data-none]").checked = false;
      answered(area.closest(".aspect"));
    });
  }
}
