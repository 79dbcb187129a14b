// Beside the voices: hear one before it is chosen; and, where a model takes over voices, the recording that it takes.

import { sampleOf, uploadRecording } from "../core/api.js";
import { button, el, say, set } from "../core/dom.js";
import { dropZone } from "../components/dropzone.js";
import { icon } from "../core/icons.js";
import { silence } from "./player.js";
import { number, t } from "../core/i18n.js";

let now = { model: "", voice: "" };
const sound = new Audio();
let listen = null;
let recording = null;

export function voiceSample(place) {
  listen = button("quiet.listen", { id: "voice-listen", onclick: hear });
  sound.onended = sound.onpause = () => face("resume", "voice.listen");
  face("resume", "voice.listen");
  place.append(listen);
}

function face(glyph, words) {
  if (!listen) return;
  set(listen, { title: t(words), "aria-label": t(words), disabled: words === "voice.busy" });
  listen.replaceChildren(icon(glyph, 18));
}

async function hear() {
  const place = document.getElementById("error-speech-voice");
  if (!sound.paused) return sound.pause();
  silence();
  place.replaceChildren();
  face("resume", "voice.busy");
  try {
    const { model, voice } = now;
    const sample = await sampleOf(model, voice);
    if (model !== now.model || voice !== now.voice) return face("resume", "voice.listen"); // another one was chosen meanwhile
    URL.revokeObjectURL(sound.src);
    sound.src = URL.createObjectURL(sample);
    await sound.play();
    face("pause", "voice.stop");
  } catch (error) {
    face("resume", "voice.listen");
    place.replaceChildren(el("p", { role: "alert" }, error.message));
  }
}

export function voiceRecording(place) {
  const problem = el("p.problem", { role: "alert" });
  const told = el("p.count", {});
  const drop = dropZone({ text: t("voice.recording.hint"), glyph: "speech", accept: "audio/*,.wav,.mp3,.flac,.ogg,.m4a", onfile: take });
  recording = { told };
  place.append(el("div.recording", {}, el("span.field-name", {}, t("voice.recording")), drop, told, problem));

  async function take(file) {
    say(problem, "");
    drop.dataset.busy = "";
    try {
      const { sha256, seconds } = await uploadRecording(file);
      sessionStorage.setItem(`triptych.recording.${sha256}`, t("voice.recording.kept", { name: file.name ?? "", n: number(seconds, 1) }));
      dispatchEvent(new CustomEvent("triptych:fill", { detail: { form: "speech", values: { voice_sample: sha256 } } }));
    } catch (error) {
      say(problem, error.message);
    } finally {
      delete drop.dataset.busy;
    }
  }
}

/** The form has other values; model: as /api/models tells of it. */
export function showVoice(form, model) {
  if (form.model !== now.model || form.voice !== now.voice) sound.pause();
  now = { model: form.model, voice: form.voice };
  document.documentElement.toggleAttribute("data-clones", Boolean(model.clones));
  document.documentElement.toggleAttribute("data-voiceless", !model.voices?.length);
  const kept = form.voice_sample && (sessionStorage.getItem(`triptych.recording.${form.voice_sample}`) ?? t("voice.recording.there"));
  if (recording) say(recording.told, kept || "");
}
