// The words of the page in the reader's language; numbers with units.

const pairs = await (await fetch(new URL("./words.json", import.meta.url))).json();
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
