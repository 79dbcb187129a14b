// The kind "speech": recordings on the stage, in the gallery, large.

import { fill, saveLink, tool } from "../core/tools.js";
import { announce } from "../core/toast.js";
import { picture as details, spokenOf } from "../core/api.js";
import { el } from "../core/dom.js";
import { pieces as piecesOf } from "../jobs/live.js";
import { player } from "./player.js";
import { clock, number, t } from "../core/i18n.js";
import { still } from "./waveform.js";

const players = new Map(); // job id -> player: it plays on when the job is done

export const speech = { title, ratio: () => "", live, done, failed, tools, card, large, rows };

export function playerOf(job) {
  if (!players.has(job.id)) players.set(job.id, player());
  return players.get(job.id);
}

function title(request) {
  const words = (request.text ?? "").replace(/\[(?:pause|voice):[^\]]*\]/gi, " ").replace(/\s+/g, " ").trim();
  return words.length > 120 ? `${words.slice(0, 119).replace(/\s\S*$/, "")}…` : words;
}

const streamOf = (job) => `/api/jobs/${job.id}/audio`;

function live(job) {
  const heard = playerOf(job);
  const asked = el("p.asked", {}, title(job.request));
  return {
    node: el("div.speech", {}, heard.node, asked),
    update(next, pieces) {
      const part = Math.min(0.98, pieces.at(-1)?.part ?? 0); // of the text
      asked.hidden = pieces.length > 0;
      heard.update({ pieces: [...pieces], part, stream: streamOf(next) });
    },
  };
}

function done(item) {
  const job = { id: item.job };
  return [el("div.speech", {}, ready(item, job.id ? playerOf(job) : player()))];
}

/** The player of a finished recording; its sentences come when they are first needed. */
function ready(item, heard) {
  const { duration, peaks } = item.info ?? {};
  const spoken = item.job ? [...piecesOf(item.job)] : [];
  const whole = spoken.length && Math.abs(spoken.at(-1).end - duration) < 5;
  const load = async () => {
    heard.update({ load: null });
    const { info } = await details(item.id);
    heard.update({ pieces: info.sentences, duration: info.duration, peaks: info.peaks });
  };
  heard.update({ pieces: whole ? spoken : [], duration, peaks, part: 1, file: item.url, load: whole ? null : () => load().catch(() => {}) });
  if (whole) return heard.node;
  const text = el("p.asked", {}, title(item.request));
  const watch = new MutationObserver(() => heard.node.querySelector(".lines li") && text.remove());
  watch.observe(heard.node, { childList: true, subtree: true });
  return el("div", {}, heard.node, text);
}

/** What was spoken before it failed or was cancelled; of one that was over when the page came, it is asked for. */
function failed(job, known) {
  if (!known.length && !job.pieces) return [];
  const heard = playerOf(job);
  const said = el("p.left", {});
  const node = el("div.speech", { hidden: true }, said, heard.node);
  const show = (pieces) => {
    heard.update({ pieces: [...pieces], part: 1, stream: streamOf(job) });
    said.textContent = t("speech.left", { time: clock(pieces.at(-1)?.end ?? 0) });
    node.hidden = !pieces.length;
  };
  if (known.length) show(known);
  else spokenOf(job.id).then(show, () => {});
  return [node];
}

const EXTENSIONS = { opus: "ogg" };
const extension = ({ info, request }) => EXTENSIONS[info?.format ?? request.format] ?? info?.format ?? request.format;

function tools(item) {
  return [
    saveLink(item, `triptych-${item.id.slice(0, 8)}.${extension(item)}`),
    ...["srt", "vtt"].map((form) => subtitles(item, form, 0)),
    subtitles(item, "vtt", 1),
    tool("reuse", t("act.reuse"), () => reuse(item)),
  ];
}

function subtitles(item, form, words) {
  const name = t(words ? "speech.subtitles.words" : "speech.subtitles", { form: form.toUpperCase() });
  const short = form.toUpperCase() + (words ? "·w" : "");
  const link = { href: `/api/gallery/${item.id}/subtitles.${form}?words=${words}`, download: `triptych-${item.id.slice(0, 8)}${words ? "-words" : ""}.${form}` };
  return el("a.tool.form", { ...link, title: name, "aria-label": name }, el("b", {}, short), el("span", {}, name));
}

const FORM = ["model", "voice", "speed", "format"];

/** Long texts come whole from the server: a view has only their beginning. */
async function reuse(item) {
  const { text } = await details(item.id).then(({ words }) => ({ text: words }), () => ({ text: null }));
  fill("speech", { text: text ?? item.request.text, ...Object.fromEntries(FORM.map((name) => [name, item.request[name]])) });
  announce(t("act.reused"));
}

function card(item) {
  const { duration, peaks = [] } = item.info ?? {};
  return [el("span.card", {}, still(peaks), el("span.card-text", {}, title(item.request)), duration ? el("span.card-time", {}, clock(duration)) : null)];
}

function large(item) {
  const heard = player();
  const node = el("div.speech.speech-large", {}, ready({ ...item, job: null }, heard));
  setTimeout(() => heard.known.load?.(), 0); // its sentences are there to be read, too
  return node;
}

function rows(item) {
  const { request, info = {} } = item;
  return [
    [t("info.model"), request.model, "model"],
    [t("voice"), request.voice || info.voice, "voice"],
    [t("speed"), request.speed === 1 ? "" : `${number(request.speed, 2)} ×`, "speed"],
    [t("speech.length"), info.duration ? clock(info.duration) : "", "duration"],
    [t("format"), info.format ? `${info.format.toUpperCase()}${info.sample_rate ? ` · ${number(info.sample_rate / 1000, info.sample_rate % 1000 ? 2 : 0)} kHz` : ""}` : "", "format"],
    [t("speech.warnings"), (info.warnings ?? []).join(" "), "warnings"],
  ];
}
