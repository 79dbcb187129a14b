// The stage of the Speech tab; what is asked for here is heard as soon as there is something to hear.

import { fill, tool } from "../core/tools.js";
import { button, el } from "../core/dom.js";
import { offer } from "../jobs/kinds.js";
import { changes, isLive } from "../jobs/live.js";
import { wakeSound } from "./audio.js";
import { playerOf } from "./view.js";
import { stage } from "../jobs/stage.js";
import { t } from "../core/i18n.js";

const PATIENCE = 8; // seconds between the click and its job
let asked = -Infinity; // when this page has pressed Speak

export function speechStage(place) {
  addEventListener("click", pressed, { capture: true });
  changes.addEventListener("job", ({ detail: { job, before } }) => {
    const sound = isLive(job) ? { part: 0, stream: `/api/jobs/${job.id}/audio` } : { part: 1, file: job.artifact?.url };
    if (before || job.kind !== "speech" || !(sound.stream ?? sound.file) || performance.now() - asked > PATIENCE * 1000) return;
    asked = -Infinity;
    const heard = playerOf(job);
    heard.update({ pieces: [], ...sound });
    setTimeout(heard.play, 0); // when its tile is on the stage
  });
  stage(place, { kinds: ["speech"], heading: t("speech.title"), empty: empty() });
}

/** The click gives us the right to sound; the job that it makes is ours, not one of another window. */
function pressed({ target }) {
  if (!target.closest?.("#speak")) return;
  asked = performance.now();
  wakeSound();
}

const EXAMPLES = ["story", "dialogue", "news"];

function empty() {
  const cards = EXAMPLES.map((name) => {
    const text = t(`speech.example.${name}`);
    return button("quote", { onclick: () => fill("speech", { text }) }, el("b", {}, t(`speech.example.${name}.title`)), el("span", {}, text));
  });
  return el("section.empty", {}, el("h2", {}, t("speech.empty")), el("p.muted", {}, t("speech.empty.text")), el("div.quotes", {}, cards));
}

/** "Speak it", beside everything that has words. */
export function offerSpeech() {
  const words = { image: (item) => item.request?.prompt, caption: (item) => item.info?.caption ?? item.text };
  for (const [kind, text] of Object.entries(words))
    offer(kind, (item) => (text(item)?.trim() ? tool("speech", t("act.speak"), () => speak(text(item).trim())) : null));
}

/** Into the form, and as if the button had been pressed. */
export async function speak(text) {
  wakeSound();
  fill("speech", { text });
  const field = document.querySelector("#text textarea");
  for (let tries = 0; field.value !== text && tries < 600; tries++) await new Promise((done) => setTimeout(done, 30));
  if (field.value === text) document.getElementById("speak").click(); // else somebody has written something of their own
}
