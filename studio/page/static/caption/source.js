// The side of the Caption tab: the one picture (dropped, pasted, chosen, photographed), or many of them.

import { fill } from "../core/tools.js";
import { note } from "../core/toast.js";
import { post } from "../core/api.js";
import { batches, current, look, show } from "./batch/state.js";
import { chosen, dropped, isMany, nameOf, send, useful } from "./batch/upload.js";
import { button, el, set } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { pictureField } from "../components/picture_field.js";
import { t, when } from "../core/i18n.js";

let field = null;

export function captionSource(place) {
  field = pictureField({ form: "caption", name: "picture", hint: t("caption.drop"), label: t("caption.picture"), remove: t("caption.picture.remove"), side: 320 });
  field.node.append(camera(field.take));
  const one = el("div.source-one", {}, field.node);
  one.addEventListener("drop", several, { capture: true });
  place.append(one, many());
}

/** On phones and tablets: the camera itself. Elsewhere the browser knows no such button, and it is not shown. */
function camera(take) {
  const input = el("input.unseen", { type: "file", accept: "image/*", capture: "environment" });
  input.onchange = () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  };
  return el("label.quiet.camera", {}, input, icon("camera"), t("caption.camera"));
}

/** More than one picture dropped on the place for one: they are a batch. */
function several(event) {
  const folder = [...event.dataTransfer.items].some((item) => item.webkitGetAsEntry?.()?.isDirectory);
  if (!folder && !isMany([...event.dataTransfer.files].map((file) => ({ file, name: file.name })))) return;
  event.preventDefault();
  event.stopPropagation();
  dropped(event.dataTransfer).then((files) => {
    fill("caption", { mode: "many" });
    take(files);
  });
}

const progress = el("p.muted", { role: "status" });
const stopping = button("link", { hidden: true }, t("caption.upload.stop"));
const problem = el("p.problem", { role: "alert" });

function many() {
  const zone = el("label.drop", {}, filesInput({ accept: "image/*,.txt,.caption,.zip" }), icon("start", 20), el("span", {}, t("caption.many.drop")));
  zone.ondragover = (event) => (event.preventDefault(), (zone.dataset.over = ""));
  zone.ondragleave = () => delete zone.dataset.over;
  zone.ondrop = async (event) => {
    event.preventDefault();
    delete zone.dataset.over;
    take(await dropped(event.dataTransfer));
  };
  const folder = el("label.quiet.folder", {}, filesInput({ webkitdirectory: "" }), icon("folder"), t("caption.many.folder"));
  return el("div.source-many", {}, chooser(), zone, folder, el("div.row", {}, progress, stopping), problem);
}

function filesInput(kind) {
  const input = el("input.unseen", { type: "file", multiple: true, ...kind });
  input.onchange = async () => {
    const files = chosen(input);
    input.value = "";
    await take(files);
  };
  return input;
}

/** Which batch: a new one, or one of those that there are. */
function chooser() {
  const list = el("select", { id: "caption-batches" });
  const node = el("label.field", {}, el("span", {}, t("caption.batch")), list);
  const draw = () => {
    const all = batches();
    list.replaceChildren(el("option", { value: "" }, t("caption.batch.new")), ...all.map((batch) => el("option", { value: batch.id }, called(batch))));
    list.value = current() ?? "";
    set(node, { hidden: !all.length });
  };
  list.onchange = () => fill("caption", { batch: list.value });
  look(draw);
  return node;
}

const called = (batch) => `${batch.name || when(batch.created)} · ${t("caption.batch.count", { n: batch.total })}`;

async function take(all) {
  const files = useful(all);
  problem.textContent = "";
  if (!files.length) return void (problem.textContent = t("caption.many.none"));
  try {
    const id = current() || (await post("/api/batches", { name: nameOf(files) })).batch.id;
    fill("caption", { batch: id });
    await upload(id, files);
  } catch (error) {
    problem.textContent = error.message;
  }
}

async function upload(id, files) {
  const told = ({ sent, total }) => (progress.textContent = sent < total ? t("caption.upload", { sent, total }) : "");
  const sending = send(id, files, (state) => (told(state), current() === id && show(id))); // somebody may look at another batch by now
  told({ sent: 0, total: files.length });
  let asked = false; // "Describe" while pictures still arrive is meant for all of them
  const press = () => (asked = true);
  document.getElementById("describe")?.addEventListener("click", press);
  set(stopping, { hidden: false, onclick: sending.stop });
  const { failed, sent, total } = await sending.done;
  document.getElementById("describe")?.removeEventListener("click", press);
  if (asked) await post(`/api/batches/${id}/run`, {}).catch(() => {}); // none was left
  set(stopping, { hidden: true });
  progress.textContent = "";
  if (failed.length) problem.textContent = failed.length === 1 ? `${failed[0].name}: ${failed[0].text}` : `${t("caption.upload.failed", { n: failed.length })} ${failed[0].text}`;
  else note(t("caption.upload.done", { n: sent, total }));
  if (current() === id) show(id, true);
}

export const showPicture = (sha256) => field?.show(sha256);
export const showBatch = (id) => show(id);

/** A picture of the page itself becomes the one to describe. */
export async function describeThis(url) {
  fill("caption", { mode: "one" });
  await field.takeFrom(url);
}
