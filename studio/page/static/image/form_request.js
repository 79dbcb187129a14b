// What the fields of a form for pictures ask for, as the studio's own route takes it.

const FIELDS = ["prompt", "model", "width", "height", "count", "sampler", "steps", "guidance_scale", "strength"];

/** A field in a fold that was never opened has no value yet. */
export const pictureRequest = (form) => ({
  kind: "image",
  ...Object.fromEntries(FIELDS.filter((name) => name in form).map((name) => [name, form[name]])),
  negative_prompt: form.negative_prompt || "",
  start_picture: form.start_picture || null,
  early_stop: Boolean(form.early_stop),
  seed: form.seed ?? -1,
});
