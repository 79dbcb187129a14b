// Many files on their way into a batch: dropped, chosen, a whole folder or a zip; a few at a time, captions first.

import { ask } from "../../core/api.js";

const AT_ONCE = 3;
const PICTURE = /\.(png|jpe?g|jfif|webp|gif|bmp|tiff?|heic|heif|avif|svg)$/i;
const TEXT = /\.(txt|caption)$/i;
const ZIP = /\.zip$/i;

/** -> [{ file, name }] of what was dropped, folders walked through */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = [...transfer.files]; // both must be read before the first await
  if (!entries.some((entry) => entry.isDirectory)) return files.map((file) => ({ file, name: file.name }));
  return (await Promise.all(entries.map((entry) => walk(entry, "")))).flat();
}

async function walk(entry, folder) {
  const name = folder + entry.name;
  if (entry.isFile) return [{ file: await new Promise((good, bad) => entry.file(good, bad)), name }];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((good, bad) => reader.readEntries(good, bad)); // a hundred at a time
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map((one) => walk(one, `${name}/`)))).flat();
}

export const chosen = (input) => [...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));

/** What a batch can do something with; hidden files and others of a folder are passed over. */
export const useful = (files) => files.filter(({ file, name }) => !/(^|\/)\./.test(name) && (PICTURE.test(name) || TEXT.test(name) || ZIP.test(name) || file.type.startsWith("image/")));

export const isMany = (files) => files.length > 1 || files.some(({ name }) => ZIP.test(name));

/** What the batch is called: the folder, the zip, or the first picture. */
export const nameOf = ([{ name }]) => (name.includes("/") ? name.split("/")[0] : name.replace(/\.\w+$/, ""));

/**
 * Send them; `told({ sent, total, failed })` after each. A file that does not arrive is told of and the rest goes on.
 * -> { done: promise, stop() }
 */
export function send(batch, files, told) {
  const waiting = [...files].sort((a, b) => TEXT.test(b.name) - TEXT.test(a.name));
  const state = { sent: 0, total: files.length, failed: [], stopped: false };
  const turn = async () => {
    for (;;) {
      const next = waiting.shift();
      if (!next || state.stopped) return;
      try {
        await sendOne(batch, next);
      } catch (error) {
        if (error.code === "too_many" && !state.stopped) {
          waiting.unshift(next); // another tab sends, too
          await new Promise((later) => setTimeout(later, 2000));
          continue;
        }
        state.failed.push({ name: next.name, text: error.message });
        if (error.code === "not_allowed" || error.code === "no_room" || error.code === "not_found") state.stopped = true; // full, or gone
      }
      state.sent += 1;
      told(state);
    }
  };
  const done = Promise.all(Array.from({ length: AT_ONCE }, turn)).then(() => state);
  return { done, stop: () => (state.stopped = true) };
}

function sendOne(batch, { file, name }) {
  const form = new FormData();
  form.append("name", name);
  form.append("file", file, "file");
  return ask(`/api/batches/${batch}/${ZIP.test(name) ? "zip" : "files"}`, { method: "POST", body: form });
}
