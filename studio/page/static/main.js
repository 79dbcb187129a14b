// Puts each part of the page into the element that Gradio has made for it.

import { cancelButton } from "./jobs/cancel.js";
import { captionStage, offerCaptions } from "./caption/stage.js";
import { captionSource } from "./caption/source.js";
import { caption } from "./caption/view.js";
import { gallerySide, galleryStage } from "./gallery/gallery.js";
import { header } from "./jobs/header.js";
import { watchKeys } from "./keys.js";
import { composeStage, offerComposing } from "./compose/stage.js";
import { composeMargins } from "./compose/margins.js";
import { composeParts } from "./compose/parts.js";
import { composeOther, composePicture } from "./compose/picture.js";
import { composeHint, composeReword } from "./compose/hints.js";
import { changes, connect } from "./jobs/live.js";
import { announceJobs } from "./jobs/announcements.js";
import { register } from "./jobs/kinds.js";
import { picture } from "./image/view.js";
import { queueSide, queueStage } from "./jobs/queue.js";
import { promptHistory } from "./image/prompt_history.js";
import { imageStage } from "./image/stage.js";
import { sketch } from "./image/sketch.js";
import { offerSpeech, speechStage } from "./speech/stage.js";
import { speechText } from "./speech/text.js";
import { speech } from "./speech/view.js";
import { voiceRecording, voiceSample } from "./speech/voices.js";
import { startPicture } from "./image/start_picture.js";
import { watchTheme } from "./core/theme.js";

const PARTS = {
  header,
  "prompt-history": promptHistory,
  sketch,
  stage: imageStage,
  start: startPicture,
  cancel: cancelButton,
  "speech-stage": speechStage,
  "speech-text": speechText,
  "speech-cancel": cancelButton,
  "voice-sample": voiceSample,
  "voice-recording": voiceRecording,
  "caption-source": captionSource,
  "caption-stage": captionStage,
  "compose-stage": composeStage,
  "compose-hint": composeHint,
  "compose-picture": composePicture,
  "compose-margins": composeMargins,
  "compose-reword": composeReword,
  "compose-other": composeOther,
  "compose-list": composeParts,
  "compose-cancel": cancelButton,
  "gallery-side": gallerySide,
  "gallery-stage": galleryStage,
  "queue-side": queueSide,
  "queue-stage": queueStage,
};
register("image", picture);
register("speech", speech);
register("caption", caption);
offerCaptions();
offerSpeech();
offerComposing();
const mounted = new Set();

export function mount(name, element, props = {}) {
  const place = element.querySelector(`#${name}`) ?? element;
  if (mounted.has(place)) return;
  mounted.add(place);
  PARTS[name](place, props);
  if (mounted.size === 1) begin();
}

function begin() {
  watchTheme();
  watchKeys();
  announceJobs(changes);
  connect();
}
