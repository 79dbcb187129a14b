// One picture of a batch: small, with its words, which are edited where they stand, or with what went wrong.

import { note } from "../../core/toast.js";
import { invalid, t } from "../../core/i18n.js";
import { agreement } from "../agreement.js";
import { act, state } from "./state.js";
import { large } from "./lightbox.js";
import { button, el } from "../../core/dom.js";
import { icon } from "../../core/icons.js";
import { changes, jobs } from "../../jobs/live.js";
import { progress } from "../../jobs/progress.js";

/** -> { node, update(item) }; while it is edited, what comes from elsewhere waits */
export function itemNode(first) {
  const node = el("article.batch-item", { "data-number": first.number });
  const view = { seen: "", editing: false, item: first };
  const draw = () => {
    node.dataset.status = view.item.status;
    node.replaceChildren(...content(view, draw));
  };
  const update = (item) => {
    const seen = JSON.stringify(item);
    if (seen === view.seen) return;
    Object.assign(view, { seen, item });
    if (!view.editing) draw();
  };
  update(first);
  return { node, update };
}

function content(view, draw) {
  const { item } = view;
  const image = item.thumb ? button("small", { onclick: () => large(view.item), "aria-label": t("act.open", { prompt: item.name }) }, el("img", { src: item.thumb, alt: item.text ?? "", loading: "lazy", decoding: "async" })) : el("div.small", {}, icon("missing", 24));
  return [
    image,
    el("div.about-it", {},
      el("p.name", { title: item.name }, el("bdi", {}, item.name)),
      words(view, draw),
      item.error ? el("p.problem", {}, invalid(item.error)) : null,
      item.notes ? el("p.muted.notes", {}, invalid(item.notes)) : null,
      origin(item),
      again(item),
    ),
  ].filter(Boolean);
}

function origin(item) {
  return item.text === null || item.status === "refused" ? null : agreement(item.score, true, item.origin);
}

function again(item) {
  const verb = item.status === "failed" ? "run" : item.status === "refused" && item.picture ? "back" : "";
  if (!verb) return null;
  const go = () => act(verb, { numbers: [item.number] }).catch((error) => note(error.message));
  return button("link", { onclick: go }, icon(verb === "run" ? "retry" : "undo", 16), t(verb === "run" ? "job.retry" : "caption.alike.back"));
}

function words(view, draw) {
  const { item } = view;
  if (item.status === "refused") return null;
  if (view.editing) return editor(view, draw);
  if (item.status === "asked" || item.status === "wanted") return el("p.muted.going", {}, going(item));
  const begin = () => {
    view.editing = true;
    draw();
  };
  const empty = item.text === null || item.text === "";
  return button("words-of", { onclick: begin, title: t("caption.edit"), dir: "auto", "data-empty": empty }, empty ? t("caption.none") : item.text);
}

const going = (item) => {
  const job = item.status === "asked" && jobs.get(item.job);
  return job && (job.status !== "waiting" || job.note) ? progress(job) : t("caption.waits");
};

function editor(view, draw) {
  const { item } = view, batch = state.id;
  const field = el("textarea", { rows: 3, value: item.text ?? "", "aria-label": `${t("caption.edit.label")}: ${item.name}`, dir: "auto", "data-own-keys": "" });
  const end = () => {
    view.editing = false;
    draw();
  };
  const save = async () => {
    const text = field.value.trim();
    if (!view.editing) return;
    end();
    if (text === (item.text ?? "")) return;
    try {
      await act(`items/${item.number}`, { text }, "PATCH", batch);
    } catch (error) {
      note(error.message);
    }
  };
  field.onblur = save;
  field.onkeydown = (event) => {
    if (event.key === "Escape") end();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  setTimeout(() => field.focus());
  return field;
}

/** Rows that wait say how far they are as their jobs tell it. */
changes.addEventListener("job", ({ detail: { job } }) => {
  if (job.request.batch !== state.id) return;
  const item = state.items.find((one) => one.job === job.id);
  const node = item && document.querySelector(`.batch-item[data-number="${item.number}"] .going`);
  if (node) node.textContent = going(item);
});
