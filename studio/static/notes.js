// What the pipelines say of a job as it goes on is English with numbers in it; known sentences are told in the reader's.

import { language } from "./words.js";

export function notes(text) {
  return text || "";
}
