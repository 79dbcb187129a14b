// Times of sounds in words.

import { language } from "./words.js";

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
