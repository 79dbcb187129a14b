// Pictures that the server keeps for requests, by their hash: sent, measured, shown small, described.

import { ask, uploadStart } from "../core/api.js";
import { note } from "../core/toast.js";
import { phrase } from "../core/i18n.js";

export const thumbOf = (sha256) => `/api/uploads/${sha256}/thumb`;
export const pictureOf = (sha256) => `/api/uploads/${sha256}`;

/** Sends a file; what had to be changed of it is told. -> its hash */
export async function store(file) {
  const { sha256, notes = [] } = await uploadStart(file);
  if (notes.length) note(notes.map(phrase).join(" "));
  return sha256;
}

/** A picture of the page itself (a result, one of the gallery), kept for requests. */
export const storeFrom = async (url) => store(await (await fetch(url)).blob());

/** The picture as an element that has been loaded; rejects where it is not there any more. */
export async function loaded(sha256) {
  const image = new Image();
  image.src = pictureOf(sha256);
  await image.decode();
  return image;
}

const captions = new Map(); // hash -> promise of its caption

/** What the captioner says of it; "" where it says nothing. */
export function captionOf(sha256) {
  if (!captions.has(sha256)) captions.set(sha256, ask(`${pictureOf(sha256)}/caption`).then(({ caption }) => caption));
  captions.get(sha256).catch(() => captions.delete(sha256)); // may be asked again
  return captions.get(sha256);
}

/** The first picture among what was dropped or pasted; those of the page itself come as addresses. */
export async function pictureIn(transfer) {
  const file = [...(transfer?.files ?? [])].find(({ type }) => type.startsWith("image/"));
  if (file) return file;
  const address = transfer?.getData?.("text/uri-list");
  const url = address && new URL(address, location.href);
  if (!url || url.origin !== location.origin || !/^\/(files|thumbs)\//.test(url.pathname)) return null;
  const answer = await fetch(url.pathname.replace("/thumbs/", "/files/"));
  return answer.ok ? answer.blob() : null;
}
