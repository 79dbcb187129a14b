// Forms as Gradio sees them: plain functions from the values of their fields to new values. What browsers remember
// of a form, filling it from elsewhere, and asking the studio for what it says is the same for every tab; a tab's own
// module exports them:
//   export const { offer, settle, keep, restore, fill } = formOf("speech", { task: "speech", first, shown, ready });
//   export const run = form.asks(requestOf);

import { models, submit } from "../core/api.js";
import { el } from "../core/dom.js";
import { jobs, takeJob } from "./live.js";

const SETTLES = 50; // milliseconds
const AS_IT_IS = { __type__: "update" }; // as Gradio's own gr.skip
const CLOSED = { __type__: "update", open: false };
const OPEN = { __type__: "update", open: true };

/** What the form lacks though the request itself would not: the field, and the sentence to show under it. */
export const missing = (field, message) => Object.assign(new Error(message), { field });

/** A job of one's own for that request; it is shown before the live connection tells of it. */
export async function order(request) {
  for (const job of (await submit(request)).jobs) takeJob(jobs.get(job.id) ?? job);
}

/** task: of the models that the form offers. first(form): what an untouched form would like; shown(form): the form has
 * other values; ready: what both need to know is there (a promise that holds). All but task are optional. */
export function formOf(name, { task, first, shown, ready } = {}) {
  let restored = false; // nothing is kept before what was kept has been put back
  let turn = Promise.resolve();
  const about = () => window.triptychForms[name];
  const names = () => about().fields;
  const named = (values) => Object.fromEntries(names().map((field, i) => [field, values[i]]));
  const listed = (form) => names().map((field) => form[field]);
  const untouched = (field, value) => (value ?? "") === "" || value === about().initial[names().indexOf(field)];

  /** Where the sentence of a refusal is shown: under its field, under the list that holds it, else above the button. */
  function placeOf({ field, code }) {
    const nearest = [field, field?.split(".")[0], code === "bad_upload" && "start_picture"];
    return nearest.find((place) => about().places.includes(place)) ?? "";
  }

  /** One value for each place of a sentence, and for each fold: that which hides the field is opened. */
  function said(error) {
    const { places, folds, behind } = about();
    const at = error && placeOf(error);
    const text = error && el("p", { role: "alert" }, error.message).outerHTML;
    return [...places.map((place) => (place === at ? text : "")), ...folds.map((fold) => (error && behind[at] === fold ? OPEN : AS_IT_IS))];
  }

  /** Everything that was wished for since the last time. */
  const taken = () => {
    const wishes = window.triptychWishes?.[name] ?? {};
    delete window.triptychWishes?.[name];
    return wishes;
  };

  /** For Gradio: what has changed, and what was said in so many words; the rest is left as it is by then, as somebody
   * may be typing there. */
  const changes = (before, after, said = {}) => names().map((field) => (field in said || !Object.is(before[field], after[field]) ? after[field] : AS_IT_IS));

  /** make(form): the form with what was wished for -> the form as it shall be. One after the other: of two wishes for
   * a field the later one stays. */
  const filler = (make) => (wish, ...values) =>
    (turn = turn.catch(() => null).then(async () => {
      const before = named(values);
      const wished = taken(); // of several in one moment the first takes all
      return changes(before, Object.keys(wished).length ? await make({ ...before, ...wished }, wished) : before, wished);
    }));

  return {
    /** For the button: what `request(form)` gives is sent. Either may throw an Error with a sentence, and a field. */
    asks: (request, send = order) => async (...values) => {
      try {
        await send(await request(named(values)));
        return said();
      } catch (error) {
        return said(error);
      }
    },

    /** The models that there are now. */
    async offer() {
      const here = await models().catch(() => null);
      if (!here) return AS_IT_IS;
      const choices = here.models.filter((model) => (model.task ?? "image") === task).map(({ id, name }) => [name, id]);
      return { __type__: "update", choices }; // as Gradio's own gr.update
    },

    /** The folds were open until now, though nobody has seen it: Gradio makes the fields of a closed one when it is
     * opened, and then puts its own values over those that are typed at once. */
    async settle() {
      await ready;
      return about().folds.map(() => CLOSED);
    },

    /** -> what the browser remembers */
    keep: (kept, ...values) => [restored ? { ...named(values), ready: true } : kept],

    /** What was kept, or what the model would like; but nothing over what somebody has typed already. */
    async restore(kept, ...values) {
      const form = named(values);
      const wanted = kept?.ready ? kept : ((await first?.(form)) ?? {});
      for (const field of names()) if (wanted[field] !== undefined && untouched(field, form[field])) form[field] = wanted[field];
      restored = true;
      setTimeout(() => document.documentElement.setAttribute(`data-form-${name}`, "ready"), SETTLES); // when Gradio has it
      shown?.(form);
      return listed(form);
    },

    /** From elsewhere on the page: an example, a picture of the gallery, a dropped file. */
    fill: filler((form) => {
      shown?.(form);
      return form;
    }),
    filler,
    named,
    listed,
    changes,
  };
}
