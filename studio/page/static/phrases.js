// Sentences that come from the server are English; those of phrases.json are told in the reader's language.

import { has, language, t } from "./words.js";

const load = async (name) => (await fetch(new URL(name, import.meta.url))).json();
const [pairs, labels] = await Promise.all([load("./phrases.json"), load("./labels.json")]);
const plain = (text) => text.replace(/[.*+?^$|[\]\\()]/g, "\\$&");
const known = pairs.map(([english, other]) => [new RegExp(`^${plain(english).replace(/\{(\w+)\}/g, "(?<$1>.+?)")}$`, "s"), other]);

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
