// Forms as Gradio sees them: plain functions from the values of their fields to new values. What browsers remember
// of a form, and filling it from elsewhere, is the same for every tab; a tab's own module exports them:
//   export const { keep, restore, fill } = formOf("speech", { first, shown });

const SETTLES = 50; // milliseconds
const AS_IT_IS = { __type__: "update" }; // as Gradio's own gr.skip

/** first(form): what an untouched form would like; shown(form): the form has other values; both optional */
export function formOf(name, { first, shown } = {}) {
  let restored = false; // nothing is kept before what was kept has been put back
  const names = () => window.triptychForms[name];
  const named = (values) => Object.fromEntries(names().map((field, i) => [field, values[i]]));
  const listed = (form) => names().map((field) => form[field]);
  /** Everything that was wished for since the last time. */
  const taken = () => {
    const wishes = window.triptychWishes?.[name] ?? {};
    delete window.triptychWishes?.[name];
    return wishes;
  };
  const show = (form) => {
    shown?.(form);
    return listed(form);
  };
  return {
    /** -> what the browser remembers */
    keep: (kept, ...values) => [restored ? { ...named(values), ready: true } : kept],

    /** What was kept, over what the model would like. */
    async restore(kept, ...values) {
      const form = named(values);
      if (!kept?.ready) Object.assign(form, await first?.(form));
      else for (const field of names()) if (kept[field] !== undefined) form[field] = kept[field];
      restored = true;
      setTimeout(() => document.documentElement.setAttribute(`data-form-${name}`, "ready"), SETTLES); // when Gradio has it
      return show(form);
    },

    /** From elsewhere on the page: an example, a picture of the gallery, a dropped file. */
    fill: (wish, ...values) => show(Object.assign(named(values), taken())),
    named,
    listed,
    taken,

    /** What has changed, for Gradio; the rest is left as it is by then, as somebody may be typing there. */
    changes: (before, after) => names().map((field) => (Object.is(before[field], after[field]) ? AS_IT_IS : after[field])),
  };
}
