// What a composed request is, and back from one to the form: "reuse settings".

import { ways } from "./modes.js";
import { mine } from "../jobs/live.js";

const PLAIN = ["prompt", "negative_prompt", "model", "width", "height", "sampler", "steps", "guidance_scale", "seed", "strength", "gate", "auto_gate", "mask_blur", "only_masked", "mask_padding", "image_guidance_scale"];
const SIDES = ["left", "top", "right", "bottom"];

const grows = (margins) => SIDES.some((side) => margins?.[side]);

/** Whether a request belongs to the Compose tab: it has more than a prompt. */
export const composed = (request) => Boolean(request?.parts?.length || request?.mask || request?.blend || grows(request?.expand));

/** The values of the form that ask for the same; what the request does not name stays as it is in the form. */
export function formOfRequest(request) {
  const way = wayOf(request);
  const worked = way === "free" || way === "blend" ? null : placeOf(request);
  const known = PLAIN.filter((name) => request[name] !== undefined && request[name] !== null);
  return {
    ...Object.fromEntries(known.map((name) => [name, request[name]])),
    way,
    count: 1,
    start_picture: worked?.picture ?? "",
    mask: request.mask ?? "",
    expand: grows(request.expand) ? JSON.stringify(request.expand) : "",
    parts: JSON.stringify((request.parts ?? []).filter((part) => part !== worked && !(way === "variations" && part.picture === worked.picture))),
    ...blended(request),
  };
}

const blended = ({ blend, group }) => ({
  blend_prompt: blend?.prompt ?? "",
  blend_picture: blend?.picture ?? "",
  ...(blend ? { frames: group ? framesOf(group) : blend.frames, at: blend.at, blend_seed: blend.seed } : {}),
});

/** Each frame of a strip is a job of its own, and knows only that it has others beside it. */
const framesOf = (group) => mine().filter(({ request }) => request.group === group).length || ways.blend.fresh.frames;

const placeOf = ({ parts = [] }) => parts.find((part) => part.role === "where" && part.picture);

/** The preset that such a request comes from; "free" can hold whatever the others cannot. */
function wayOf(request) {
  if (request.blend) return "blend";
  const place = placeOf(request);
  if (!place) return "free";
  if (grows(request.expand)) return "outpaint";
  const others = request.parts.filter((part) => part !== place);
  if (request.mask) return "inpaint";
  if (others.length === 1 && others[0].role === "what" && others[0].picture === place.picture) return "variations";
  if (others.some((part) => part.role === "how" && part.picture)) return "restyle";
  if (others.length) return "free";
  return request.prompt?.trim() ? "words" : "variations";
}
