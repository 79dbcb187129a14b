// What each kind of job looks like: a tile's body, its tools, its card in the gallery, its view in the lightbox.

const views = new Map(); // kind -> view, in the order of the tabs
const offers = new Map(); // kind -> functions item -> a tool or null: what other tabs can do with it

/**
 * A view:
 *   title(request, thing) the words by which a person knows it; thing: the job or the item
 *   ratio(request)      CSS aspect-ratio of the tile, "" for as high as its content
 *   live(job)           -> { node, update(job, pieces) }: what is seen of it before it is done; optional
 *   done(item, open)    -> nodes of the tile; `open()` shows it large
 *   under(item)         -> a node below it in its tile and beside it in the lightbox, or null; optional
 *   along(job, place)   shows below the tile what there is to tell while it is made; optional
 *   failed(job, pieces) -> nodes under the sentence: what is left of it; optional
 *   tools(item, begin)  -> what can be done with it; `begin()` shows it large and begins its extra
 *   card(item)          -> nodes of its card in the gallery
 *   large(item)         -> a node, as large as it can be
 *   extra(item)         -> { node, begin() }: something below, made on demand; optional
 *   rows(item)          -> [[label, value], …] beside it
 * An item is an artifact with `kind`, `request`, `created` and `url`, whether it comes from a job or the gallery.
 */
export function register(kind, view) {
  views.set(kind, view);
}

/** Also in the tools of that kind: `make(item)` gives a tool, or null where it does not fit. */
export function offer(kind, make) {
  offers.set(kind, [...(offers.get(kind) ?? []), make]);
}

export const kinds = () => [...views.keys()];

/** The view of a job or an item; a kind that this page does not know is shown as plainly as can be. */
export const viewOf = (thing) => views.get(thing.kind ?? thing.request?.kind ?? "image") ?? PLAIN;

export const title = (thing) => viewOf(thing).title(thing.request ?? {}, thing);

export const toolsOf = (item, begin) => [
  ...viewOf(item).tools(item, begin),
  ...(offers.get(item.kind) ?? []).map((make) => make(item)).filter(Boolean),
];

/** A finished job as an item. */
export const itemOf = (job) => ({
  ...job.artifact,
  job: job.id,
  kind: job.kind ?? "image",
  created: job.ended ?? job.created,
  request: { ...job.request, seed: job.artifact.seed ?? job.request.seed },
});

const nothing = () => [];
const PLAIN = { title: ({ prompt, text, kind }) => prompt || text || kind || "", ratio: () => "", done: nothing, tools: nothing, card: nothing, rows: nothing, large: () => document.createElement("div") };
