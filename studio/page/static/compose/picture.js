// The picture that a way of working is about: chosen, seen with its mask and margins; and the one at a blend's other end.

import { tell } from "../core/tools.js";
import { note } from "../core/toast.js";
import { button, el, say, set } from "../core/dom.js";
import { dropZone } from "../components/dropzone.js";
import { icon } from "../core/icons.js";
import { add } from "./parts.js";
import { arranged } from "./margins.js";
import { wayNow } from "../image/modes.js";
import { paint } from "../components/painter.js";
import { loaded, pictureIn, pictureOf, store, storeFrom, thumbOf } from "../components/uploads.js";
import { open, shown } from "../core/router.js";
import { t } from "../core/i18n.js";

let form = {}; // as it was last seen
let base = null;
let other = null;

export function composePicture(place) {
  const paintButton = button("quiet.paint", { onclick: paintMask, id: "compose-paint" });
  const clear = button("link", { onclick: () => tell("compose", { mask: "" }) }, t("compose.mask.clear"));
  base = { ...box({ label: t("compose.picture"), hint: t("compose.picture.hint"), onpicture: work, onempty: () => tell("compose", { start_picture: "", mask: "" }) }), paintButton, clear };
  place.append(el("div.base", {}, base.node, el("div.mask-tools", {}, paintButton, clear)));
  addEventListener("paste", paste);
}

export function composeOther(place) {
  const set = (sha256) => tell("compose", { blend_picture: sha256 });
  other = box({ label: t("compose.blend_picture"), hint: t("compose.blend_picture"), onpicture: set, onempty: () => set("") });
  place.append(other.node);
}

export function showPicture(next) {
  form = next;
  if (!base) return;
  base.show(next.start_picture, wayNow().mask && next.mask);
  const words = next.mask ? "again" : wayNow().mask === "may" ? "may" : "paint";
  base.paintButton.replaceChildren(icon("brush", 16), t(`compose.mask.${words}`));
  set(base.paintButton, { disabled: !next.start_picture });
  set(base.clear, { hidden: !next.mask });
}

export const showOther = (sha256) => other?.show(sha256);

/** Another picture to work on: its size becomes that of the result, as far as the model can. */
async function work(sha256) {
  tell("compose", { start_picture: sha256, mask: "" });
  tell("compose", await arranged({ ...form, start_picture: sha256 }));
}

async function paintMask() {
  if (!form.start_picture) return;
  const mask = form.mask ? await loaded(form.mask).catch(() => null) : null;
  const painted = await paint({ title: t("compose.mask"), ground: await loaded(form.start_picture), mask });
  if (painted === null) return;
  try {
    tell("compose", { mask: painted ? await store(painted) : "" });
  } catch (error) {
    note(error.message);
  }
}

/** A picture goes where the chosen way still wants one. url: of the page itself */
export async function useInComposition(url) {
  open("compose");
  try {
    await take(() => storeFrom(url));
    note(t("compose.used"));
  } catch (error) {
    note(error.message);
  }
}

async function take(kept) {
  const way = wayNow();
  if (way.picture && (!form.start_picture || !way.parts)) await work(await kept());
  else await add(kept);
}

async function paste(event) {
  const file = event.clipboardData?.files.length && (await pictureIn(event.clipboardData));
  if (!file || shown() !== "compose" || document.querySelector("dialog[open]")) return;
  take(() => store(file)).catch((error) => note(error.message));
}

/** A place for one stored picture -> { node, show(sha256, mask) } */
function box({ label, hint, onpicture, onempty }) {
  const image = el("img", { alt: label, decoding: "async" });
  const shade = el("div.shade", { hidden: true });
  const problem = el("p.problem", { role: "alert" });
  const away = button("tool.corner", { title: t("compose.picture.remove"), "aria-label": t("compose.picture.remove"), onclick: onempty }, icon("close", 16));
  const seen = el("div.seen", { hidden: true }, image, shade, away);
  const take = async (file) => {
    say(problem, "");
    node.dataset.busy = "";
    try {
      await onpicture(await store(file));
    } catch (error) {
      say(problem, error.message);
    } finally {
      delete node.dataset.busy;
    }
  };
  const drop = dropZone({ text: hint, onfile: take });
  const node = el("div.picture-box", {}, drop, seen, problem);
  seen.ondragover = (event) => event.preventDefault();
  seen.ondrop = async (event) => {
    event.preventDefault();
    const file = await pictureIn(event.dataTransfer);
    if (file) take(file);
  };
  image.onerror = () => say(problem, t("compose.picture.gone"));
  image.onload = () => say(problem, "");
  const show = (sha256, mask) => {
    set(drop, { hidden: Boolean(sha256) });
    set(seen, { hidden: !sha256 });
    if (sha256 && !image.src.endsWith(thumbOf(sha256))) image.src = thumbOf(sha256);
    if (!sha256) image.removeAttribute("src");
    set(shade, { hidden: !mask });
    shade.style.maskImage = mask ? `url(${pictureOf(mask)})` : "";
  };
  return { node, show };
}
