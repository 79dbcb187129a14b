// The words of a caption on the page: marked where the picture does not support them, edited, chosen, asked beyond.

import { announce, note } from "../core/toast.js";
import { models, picture, rewrite, submit } from "../core/api.js";
import { agreement } from "./agreement.js";
import { heat, spoken } from "./heatmap.js";
import { closer } from "./inspect.js";
import { button, el } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { t } from "../core/i18n.js";

/** item: of the stage or the gallery (which knows no candidates until they are asked for); shown: the node with its picture -> a node */
export function described(item, shown) {
  const node = el("div.words", {});
  const map = heat(shown, item.request.picture);
  const look = item.request.question ? null : closer(item.request.picture, map);
  const show = () => node.replaceChildren(...content(item, change, show, node, map, look).filter(Boolean));
  const change = async (text) => {
    const answer = await rewrite(item.id, text);
    Object.assign(item, { info: answer.info, score: answer.info.alignment?.score, prompt: answer.prompt });
    show();
    announce(t("caption.saved"));
  };
  show();
  if (!item.info) picture(item.id).then(({ info }) => (Object.assign(item, { info, score: info.alignment?.score }), show())).catch(() => {});
  return node;
}

function content(item, change, show, node, map, look) {
  const { request, info = {} } = item;
  const text = info.caption ?? item.prompt ?? "";
  return [
    request.question ? el("p.question", {}, request.question) : null,
    written(text, info, () => edit(node, text, change, show), (words) => map.show(words)),
    map.node,
    request.question ? null : agreement(item.score, false, info.edited ? "person" : "model"),
    look,
    others(info, text, change),
    ask(request),
  ];
}

function written(text, info, begin, onphrase) {
  const found = (info.candidates ?? []).find((one) => one.text === text);
  const words = spoken(text, found?.phrases ?? [], found && onphrase);
  const doubtful = words.some((part) => part.tagName === "MARK");
  const pen = button("tool.pen", { title: t("caption.edit"), "aria-label": t("caption.edit"), onclick: begin }, icon("pen", 16));
  return el("div.written", {}, el("p.text", { dir: "auto" }, words), pen, doubtful ? el("p.muted.hint", {}, t("caption.unsupported.some")) : null);
}

function edit(node, text, change, show) {
  const field = el("textarea", { rows: 4, value: text, "aria-label": t("caption.edit.label"), dir: "auto", "data-own-keys": "" });
  const problem = el("p.problem", { role: "alert" });
  const save = async () => {
    field.disabled = true; // what is typed while it is saved would be lost
    try {
      await change(field.value.trim());
    } catch (error) {
      problem.textContent = error.message;
      field.disabled = false;
    }
  };
  field.onkeydown = (event) => {
    if (event.key === "Escape") show();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  node.querySelector(".written").replaceWith(
    el("div.editing", {}, field, problem, el("div.row", {}, button("primary", { onclick: save }, t("caption.save")), button("quiet", { onclick: show }, t("cancel")))),
  );
  field.focus();
}

/** What else was written; a click takes it. */
function others(info, text, change) {
  const rest = (info.candidates ?? []).filter((one) => one.text !== text);
  if (!rest.length) return null;
  const words = rest.length === 1 ? t("caption.others.one") : t("caption.others", { n: rest.length });
  const use = (one) => change(one.text).catch((error) => note(error.message));
  return el("details.others", {}, el("summary", {}, words),
    el("ul", {}, rest.map((one) => el("li", {}, el("p.text", { dir: "auto" }, spoken(one.text, one.phrases ?? [])), agreement(one.score, true), button("link", { onclick: () => use(one) }, t("caption.use"))))),
  );
}

let answering = null;
const whoAnswers = () => (answering ??= models().then(({ models }) => models.filter((one) => one.task === "caption" && (one.answers || one.reads))).catch(() => []));

/** A question about the same picture is a job of its own. Shown where some model can answer. */
function ask(request) {
  const field = el("input", { type: "text", placeholder: t("caption.ask.hint"), "aria-label": t("caption.ask"), maxlength: 500, "data-own-keys": "" });
  const problem = el("p.problem", { role: "alert" });
  const form = el("form.ask", { hidden: true }, el("div.row", {}, field, el("button.quiet", { type: "submit" }, t("caption.ask.go"))), problem);
  whoAnswers().then((able) => {
    const model = able.find((one) => one.id === request.model) ?? able[0];
    form.hidden = !model;
    form.onsubmit = (event) => (event.preventDefault(), put(field, problem, { ...request, model: model?.id }));
  });
  return form;
}

async function put(field, problem, request) {
  problem.textContent = "";
  if (!field.value.trim()) return field.focus();
  try {
    await submit({ ...request, question: field.value.trim(), batch: "", prefix: "", suffix: "" });
    field.value = "";
  } catch (error) {
    problem.textContent = error.message;
  }
}
