// The parts of a composition: a list of cards, and the ways to add one: words, a file, a drawing, the gallery.

import { tell } from "../core/tools.js";
import { button, el, order, say, set } from "../core/dom.js";
import { dropZone } from "../components/dropzone.js";
import { icon } from "../core/icons.js";
import { asText, partCard } from "./part.js";
import { wayNow } from "../image/modes.js";
import { paint } from "../components/painter.js";
import { pick } from "../jobs/picker.js";
import { captionOf, pictureIn, store, storeFrom } from "../components/uploads.js";
import { t } from "../core/i18n.js";

let parts = []; // { key, role, weight, text | picture, caption?, from? }; the form holds them as JSON
let count = 0;
let view = null;
let most = { parts: 12, pictures: 4 };

/** The list as the form's field holds it. */
export const partsNow = () => JSON.stringify(parts.map(({ key, ...part }) => part));

/** From elsewhere: a reload, "reuse settings". */
export function showParts(text) {
  parts = JSON.parse(text || "[]").map((part) => ({ weight: 1, role: "what", ...part, key: ++count }));
  parts.forEach(describe);
  draw();
}

export function composeParts(place, props) {
  most = { ...most, ...props };
  const list = el("ol.parts", {});
  const problem = el("p.problem", { role: "alert" });
  const empty = el("p.muted.parts-empty", {}, t("compose.parts.empty"));
  const slot = el("div.slot", {});
  const body = el("details.parts-of", { open: true }, el("summary", {}, t("compose.parts.more")), el("h2", {}, t("compose.parts")), list, slot, empty, adding(), problem);
  view = { list, problem, empty, slot, body, cards: new Map() };
  view.blind = el("div.blind", {}, el("p.problem", {}), button("link", { onclick: inWords }, t("compose.blind.words")));
  body.append(view.blind);
  body.ondragover = (event) => event.preventDefault();
  body.ondrop = async (event) => {
    event.preventDefault();
    const file = await pictureIn(event.dataTransfer);
    if (file) add(() => store(file));
  };
  place.append(body);
  addEventListener("triptych:fill", listen);
  draw();
}

/** Other parts for the form: the list takes them at once, else what it tells next (a caption that has arrived) would
 * be what it held before. */
function listen({ detail: { form, values } }) {
  if (form === "compose" && "parts" in values && values.parts !== partsNow()) showParts(values.parts);
}

function adding() {
  const file = el("input.unseen", { type: "file", accept: "image/*", multiple: true, id: "compose-file" });
  file.onchange = () => {
    for (const one of file.files) add(() => store(one));
    file.value = "";
  };
  return el("div.adding", {},
    button("quiet", { onclick: addText, id: "compose-add-text" }, icon("text", 16), t("compose.add.text")),
    el("label.quiet", {}, file, icon("image", 16), t("compose.add.picture")),
    button("quiet", { onclick: () => paint({ title: t("paint.draw") }).then((drawn) => drawn && add(() => store(drawn))), id: "compose-add-drawing" }, icon("pen", 16), t("compose.add.draw")),
    button("quiet", { onclick: () => pick().then((item) => item && add(() => storeFrom(item.url))), id: "compose-add-gallery" }, icon("gallery", 16), t("compose.add.gallery")),
  );
}

function addText() {
  if (put({ role: "what", text: "", weight: 1 })) view.list.lastChild.querySelector("textarea").focus();
}

/** kept: gives the hash of a stored picture. role: as that of which the way still wants one, else content. */
export async function add(kept, role = missing() || "what") {
  say(view.problem, "");
  view.body.dataset.busy = "";
  try {
    put({ role, picture: await kept(), weight: 1 });
  } catch (error) {
    say(view.problem, error.message);
  } finally {
    delete view.body.dataset.busy;
  }
}

function put(part) {
  if (parts.length >= most.parts) return say(view.problem, t("compose.parts.full", { n: most.parts }));
  parts = [...parts, { ...part, key: ++count }];
  describe(parts.at(-1));
  changed();
  return true;
}

/** In the background: what the captioner says of a picture. */
function describe(part) {
  if (!part.picture || part.caption !== undefined) return;
  captionOf(part.picture)
    .then((caption) => (part.caption === undefined ? ((part.caption = caption), changed()) : null))
    .catch(() => ((part.caption = ""), draw()));
}

const seen = (part) => part.picture && part.role !== "where";

/** A model that cannot be shown pictures is told of at once, and what can be done about it. */
export function showBlind(model) {
  if (!view) return;
  const blind = Boolean(model && model.image_prompts === false && wayNow().parts && parts.some(seen));
  set(view.blind, { hidden: !blind });
  if (blind) say(view.blind.firstChild, t("compose.blind", { model: model.name }));
}

/** The captions of all pictures that the model would have to see, instead of these. */
function inWords() {
  for (const part of parts.filter((part) => seen(part) && part.caption?.trim())) Object.assign(part, asText(part));
  changed();
}

function changed() {
  draw();
  tell("compose", { parts: partsNow() });
}

/** The role of the picture that the chosen way is about and that is not there yet. */
const missing = () => (wayNow().slot && !parts.some((part) => part.picture && part.role === wayNow().slot) ? wayNow().slot : "");

/** Also when another way is chosen. */
export function draw() {
  if (!view) return;
  const places = { first: parts[0]?.key, last: parts.at(-1)?.key };
  order(view.list, parts.map((part) => cardOf(part, places)));
  for (const key of view.cards.keys()) if (!parts.some((part) => part.key === key)) view.cards.delete(key);
  const wanted = missing();
  if (view.slot.dataset.role !== wanted) {
    view.slot.dataset.role = wanted;
    view.slot.replaceChildren(...(wanted ? [dropZone({ text: t(`compose.slot.${wanted}`), onfile: (file) => add(() => store(file), wanted) })] : []));
  }
  set(view.empty, { hidden: parts.length > 0 || Boolean(wanted) });
  const fold = wayNow().parts === "fold";
  if (view.fold !== fold) view.body.open = !fold || parts.length > 0;
  view.fold = fold;
}

function cardOf(part, places) {
  if (!view.cards.has(part.key)) view.cards.set(part.key, partCard(part, { changed, remove, move, place }));
  view.cards.get(part.key).update(parts.indexOf(part), { ...places, where: !wayNow().picture });
  return view.cards.get(part.key).node;
}

function remove(part) {
  const at = parts.indexOf(part);
  parts = parts.filter((other) => other !== part);
  changed();
  (view.list.children[Math.min(at, parts.length - 1)]?.querySelector("select") ?? document.getElementById("compose-add-text")).focus();
}

/** way: −1 up, 1 down */
function move(part, way) {
  const at = parts.indexOf(part);
  place(part.key, parts[at + way]);
}

/** The part of that key takes the place of another one. */
function place(key, other) {
  const part = parts.find((one) => one.key === key);
  const to = parts.indexOf(other);
  if (!part || to < 0) return;
  parts = parts.filter((one) => one !== part);
  parts.splice(to, 0, part);
  changed();
}
