// A field of a form that holds one picture: dropped, pasted, chosen, or sent from elsewhere. The server keeps it under
// its hash, the browser remembers a small copy to show after a reload.

import { uploadStart } from "../core/api.js";
import { note } from "../core/toast.js";
import { button, el, set } from "../core/dom.js";
import { dropZone } from "./dropzone.js";
import { icon } from "../core/icons.js";
import { phrase, t } from "../core/i18n.js";
import { shown } from "../core/router.js";

/**
 * form, name: the field that takes the SHA-256; hint, label, remove: its words; side: pixels of the remembered copy.
 * -> { node, take(file), takeFrom(url), show(sha256) }
 */
export function pictureField({ form, name, hint, label, remove, side = 96 }) {
  const key = `triptych.picture.${form}.${name}`;
  const image = el("img", { alt: label, hidden: true });
  const away = button("tool.remove", { title: remove, "aria-label": remove, hidden: true, onclick: () => ((asked += 1), localStorage.removeItem(key), tell("")) }, icon("close", 16));
  const problem = el("p.problem", { role: "alert" });
  const drop = dropZone({ text: hint, onfile: take });
  const tell = (sha256) => dispatchEvent(new CustomEvent("triptych:fill", { detail: { form, values: { [name]: sha256 } } }));

  let asked = 0; // the last one that was given counts, however long those before it take
  async function keep(file) {
    const mine = ++asked;
    const [{ sha256, notes = [] }, copy] = await Promise.all([uploadStart(file), small(file, side)]);
    if (mine !== asked) return;
    localStorage.setItem(key, JSON.stringify([sha256, copy]));
    tell(sha256);
    if (notes.length) note(notes.map(phrase).join(" "));
  }

  async function take(file) {
    problem.textContent = "";
    drop.dataset.busy = "";
    try {
      await keep(file);
    } catch (error) {
      problem.textContent = error.message;
    } finally {
      delete drop.dataset.busy;
    }
  }

  function show(sha256) {
    const [kept, copy] = JSON.parse(localStorage.getItem(key) ?? "[]");
    const source = sha256 && kept === sha256 ? copy : null;
    set(image, { src: source, hidden: !source });
    set(away, { hidden: !sha256 });
  }

  addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"));
    if (!file || shown() !== form || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    take(file);
  });
  const node = el("div.start", {}, el("div.start-drop", {}, drop, image, away), problem);
  return { node, take, show, takeFrom: async (url) => keep(await (await fetch(url)).blob()) };
}

async function small(file, side) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return null;
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = el("canvas", { width: Math.max(1, bitmap.width * scale), height: Math.max(1, bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.8);
}
