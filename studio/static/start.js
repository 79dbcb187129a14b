// The start picture: dropped, pasted, chosen, or sent from a finished one. Kept on the server under its hash.

import { uploadStart } from "./api.js";
import { note } from "./announce.js";
import { button, el, set } from "./dom.js";
import { dropZone } from "./drop.js";
import { icon } from "./icons.js";
import { shown } from "./tabs.js";
import { t } from "./words.js";

const SMALL = 96; // pixels of the thumbnail that the browser keeps
let zone = null;

export function startPicture(place) {
  const image = el("img", { alt: t("start"), hidden: true });
  const remove = button("tool.remove", { title: t("start.remove"), "aria-label": t("start.remove"), hidden: true, onclick: clear }, icon("close", 16));
  const problem = el("p.problem", { role: "alert" });
  const drop = dropZone({ text: t("start.hint"), onfile: take });
  zone = { image, remove, problem, drop };
  place.append(el("div.start", {}, el("div.start-drop", {}, drop, image, remove), problem));
  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
    if (!file || shown() !== "image") return;
    event.preventDefault();
    take(file);
  });
}

async function take(file) {
  zone.problem.textContent = "";
  zone.drop.dataset.busy = "";
  try {
    await setStart(file);
  } catch (error) {
    zone.problem.textContent = error.message;
  } finally {
    delete zone.drop.dataset.busy;
  }
}

/** Upload, remember a small copy to show after a reload, and tell the form. */
async function setStart(file) {
  const { sha256, notes = [] } = await uploadStart(file);
  localStorage.setItem("triptych.start", JSON.stringify([sha256, await small(file)]));
  fillStart(sha256);
  if (notes.length) note(notes.join(" "));
}

export const setStartFrom = async (url) => setStart(await (await fetch(url)).blob());

const fillStart = (sha256) => dispatchEvent(new CustomEvent("triptych:fill", { detail: { start_picture: sha256 } }));

function clear() {
  localStorage.removeItem("triptych.start");
  fillStart("");
}

export function showStart(sha256) {
  if (!zone) return;
  const [kept, picture] = JSON.parse(localStorage.getItem("triptych.start") ?? "[]");
  const source = sha256 && kept === sha256 ? picture : null;
  document.documentElement.toggleAttribute("data-start", Boolean(sha256));
  set(zone.image, { src: source, hidden: !source });
  set(zone.remove, { hidden: !sha256 });
  if (sha256) openFold();
}

/** A picture that takes part must be seen: the fold around it opens. */
function openFold() {
  const fold = zone.drop.closest(".fold")?.querySelector("button[aria-expanded=false], button.label-wrap:not(.open)");
  fold?.click();
}

async function small(file) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  const scale = Math.min(1, SMALL / Math.max(bitmap.width, bitmap.height));
  const canvas = el("canvas", { width: Math.max(1, bitmap.width * scale), height: Math.max(1, bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.8);
}
