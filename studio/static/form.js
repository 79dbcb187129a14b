// Forms as Gradio sees them: plain functions from the values of their fields to new values. What browsers remember
// of a form, and filling it from elsewhere, is the same for every tab; a tab's own module exports them:
//   export const { settle, keep, restore, fill } = formOf("speech", { first, shown, ready });

const SETTLES = 50; // milliseconds
const AS_IT_IS = { __type__: "update" }; // as Gradio's own gr.skip
const CLOSED = { __type__: "update", open: false };

/** first(form): what an untouched form would like; shown(form): the form has other values; ready: what both need to
 * know is there (a promise that holds). All optional. */
export function formOf(name, { first, shown, ready } = {}) {
  let restored = false; // nothing is kept before what was kept has been put back
  let turn = Promise.resolve();
  const about = () => window.triptychForms[name];
  const names = () => about().fields;
  const named = (values) => Object.fromEntries(names().map((field, i) => [field, values[i]]));
  const listed = (form) => names().map((field) => form[field]);
  const untouched = (field, value) => (value ?? "") === "" || value === about().initial[names().indexOf(field)];

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
    /** The folds were open until now, though nobody has seen it: Gradio makes the fields of a closed one when it is
     * opened, and then puts its own values over those that are typed at once. */
    async settle() {
      await ready;
      return Array(about().folds).fill(CLOSED);
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
