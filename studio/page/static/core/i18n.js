// The words of the page in the reader's language; numbers with units.

const pairs = await (await fetch(new URL("../i18n/words.json", import.meta.url))).json();
const LANGUAGES = ["en", "zh-CN"];

export const language = () => (/^zh/i.test(document.documentElement.lang) ? "zh-CN" : "en");

/** t("job.waiting", { n: 3 }); a key that is missing is shown as itself, so that it is noticed. */
export function t(key, values = {}) {
  const text = pairs[key]?.[LANGUAGES.indexOf(language())] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export const has = (key) => key in pairs;

/** The word of that key for a kind of job ("job.cancel.speech") where there is one, else the plain one. */
export const wordOf = (key, kind, values) => t(has(`${key}.${kind}`) ? `${key}.${kind}` : key, values);

/** Remember the choice; the page is loaded again in it (jobs are on the server, settings in the browser). */
export function switchLanguage() {
  localStorage.setItem("triptych.language", language() === "en" ? "zh-CN" : "en");
  location.reload();
}

export const number = (value, digits = 0) =>
  new Intl.NumberFormat(language(), { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);

/** 0.6 s, 45 s, 3 min */
export function duration(seconds) {
  if (seconds < 9.95) return t("time.seconds", { n: number(seconds, 1) });
  if (seconds < 90) return t("time.seconds", { n: number(seconds) });
  return t("time.minutes", { n: number(seconds / 60) });
}

/** 640 MB, 11.3 GB */
export function bytes(count) {
  if (count < 1e9) return `${number(count / 1e6)} MB`;
  return `${number(count / 1e9, 1)} GB`;
}

export const when = (seconds) =>
  new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(seconds * 1000);

const load = async (name) => (await fetch(new URL(name, import.meta.url))).json();

const [sentences, labels] = await Promise.all([load("../i18n/phrases.json"), load("../i18n/labels.json")]);

const plain = (text) => text.replace(/[.*+?^$|[\]\\()]/g, "\\$&");

const known = sentences.map(([english, other]) => [new RegExp(`^${plain(english).replace(/\{(\w+)\}/g, "(?<$1>.+?)")}$`, "s"), other]);

/** The same sentence for the reader; one that is not known stays as it came. */
export function phrase(text) {
  if (language() === "en") return text;
  for (const [pattern, other] of known) {
    const found = pattern.exec(text);
    if (found) return other.replace(/\{(\w+)\}/g, (_, name) => phrase(found.groups[name]));
  }
  return text;
}

/** What a pipeline says of a job as it goes on: "loading Sprite 40%", or remarks with semicolons between them. */
export const notes = (text) => (text || "").split("; ").filter(Boolean).map(remark).join(" ");

function remark(text) {
  const [, words, part] = /^(.*?)(?: (\d+)%)?$/s.exec(text);
  const said = phrase(words);
  return said[0].toUpperCase() + said.slice(1) + (part ? ` · ${part} %` : "");
}

/** "width: got 100, allowed is at least 64." with the field's label and everything in the reader's language. */
export function invalid(message) {
  const found = /^([\w.]+): got (.*), allowed is (.*)\.$/s.exec(message);
  if (!found) return phrase(message);
  const [, field, got, allowed] = found;
  return t("error.invalid", { field: labelOf(field), got: phrase(got), allowed: whole(allowed) });
}

/** Its parts between the commas, or all of it as one phrase. */
function whole(text) {
  const parts = text.split(", ");
  const told = parts.map(phrase);
  return told.every((part, i) => part === parts[i]) ? phrase(text) : told.join(t("comma"));
}

/** "parts.1.weight" is "Part 2, weight". What has no label is told as it came. */
function labelOf(field) {
  const [first, ...rest] = field.split(".");
  const numbered = /^\d+$/.test(rest[0]) && has(`${first}.one`);
  const said = numbered ? t(`${first}.one`, { n: Number(rest.shift()) + 1 }) : label(first);
  return [said, ...rest.map(label)].join(t("comma"));
}

const label = (name) => (name in labels ? t(labels[name]) : name);

/** 0:03, 12:40, 1:02:03 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

const two = (value) => String(value).padStart(2, "0");

const names = new Intl.DisplayNames([language()], { type: "language", fallback: "code" });

/** en-US -> American English */
export function languageName(tag) {
  try {
    return names.of(tag);
  } catch {
    return tag;
  }
}
