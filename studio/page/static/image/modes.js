// The ways of working: presets of one form, the same for the scripts and for the server.

export const ways = await (await fetch(new URL("./modes.json", import.meta.url))).json();

export const current = () => document.documentElement.dataset.compose ?? "free";
export const wayNow = () => ways[current()] ?? ways.free;
