// Line icons on a 24-pixel grid, drawn in the colour of the text beside them.

const PATHS = {
  // the tabs
  image: "M4.5 5.5h15v13h-15zM4.5 15.5l4-4 4 4 2.5-2.5 4.5 4.5M15.5 9.5h.01",
  speech: "M4 12v0M8 8.5v7M12 5v14M16 8.5v7M20 12v0",
  caption: "M4.5 5.5h15v8h-15zM4.5 17h15M4.5 20h9",
  compose: "M4.5 4.5h6.5v6.5H4.5zM13 13h6.5v6.5H13zM13 7.8h3.2v2.7M11 16.2H7.8v-2.7",
  gallery: "M4.5 4.5h6v6h-6zM13.5 4.5h6v6h-6zM4.5 13.5h6v6h-6zM13.5 13.5h6v6h-6z",
  queue: "M5 6.5h14M5 12h14M5 17.5h9",
  text: "M5 6.5h14M12 6.5v12M9.5 18.5h5",
  brush: "M19.5 4.5 11 13m-1.5-.5a3.2 3.2 0 0 0-4.3 3c0 1.6-1 2.5-1.7 2.8 1.2.9 2.9 1.2 4.3 1.2a3.6 3.6 0 0 0 3.4-4.9z",
  eraser: "M8.5 19 4 14.5 14 4.5l6 6L11.5 19zM8.5 10l6 6M11.5 19H20",
  invert: "M4.5 4.5h15v15h-15zM4.5 19.5l15-15M12 12v7.5M16 8.5v11",
  all: "M4.5 4.5h15v15h-15zM8 8h8v8H8z",
  // what can be done
  save: "M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 19.5h14",
  reuse: "M4 7h10m4 0h2M4 12h2m4 0h10M4 17h8m4 0h4M16 5v4M8 10v4M14 15v4",
  start: "M4.5 5.5h15v13h-15zM4.5 15.5l4-4 4 4 2.5-2.5 4.5 4.5M15.5 9.5h.01",
  filmstrip: "M4 5.5h16v13H4zM4 9.5h16M4 14.5h16M9.3 9.5v5M14.6 9.5v5",
  delete: "M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v6M13.5 10.5v6",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10.5v10.5H9zM15 9V4.5H4.5V15H9",
  left: "M14.5 5.5 8 12l6.5 6.5",
  right: "M9.5 5.5 16 12l-6.5 6.5",
  up: "M12 19V5m0 0-6 6m6-6 6 6",
  down: "M12 5v14m0 0-6-6m6 6 6-6",
  pause: "M9 6v12M15 6v12",
  resume: "M8 5.5v13L18.5 12z",
  pen: "M5 19h3.5L19 8.5 15.5 5 5 15.5zM13 7.5l3.5 3.5",
  folder: "M3.5 6.5h6l2 2.5h9v9.5h-17z",
  missing: "M4.5 5.5h15v13h-15zM4.5 5.5l15 13",
  undo: "M9 6 5 10l4 4M5 10h9a5 5 0 0 1 0 10h-3",
  camera: "M4.5 8h3.5l1.5-2.5h5L16 8h3.5v10.5h-15zM12 10.2a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  retry: "M19 12a7 7 0 1 1-2.2-5.1M19 4v4h-4",
  light: "M12 8.2a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6zM12 3v2m0 14v2M3 12h2m14 0h2M5.6 5.6 7 7m10 10 1.4 1.4M18.4 5.6 17 7M7 17l-1.4 1.4",
  dark: "M19.5 14.2A8 8 0 1 1 9.8 4.5a6.4 6.4 0 0 0 9.7 9.7z",
  check: "M5 12.5 10 17.5 19 7",
  add: "M12 5v14M5 12h14",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  owner: "M12 4.5a3.6 3.6 0 1 0 0 7.2 3.6 3.6 0 0 0 0-7.2zM4.8 19.5a7.2 6 0 0 1 14.4 0",
  logout: "M13 4.5H5v15h8M10 12h10m0 0-3.5-3.5M20 12l-3.5 3.5",
  file: "M7 3.5h7l4.5 4.5v12.5H7zM14 3.5V8h4.5M10 12.5h5.5M10 16h5.5",
  history: "M4.5 12a7.5 7.5 0 1 1 2.2 5.3M4.5 12l-2-2m2 2 2-2M12 8v4.2l2.8 1.8",
  search: "M10.5 4.5a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5",
};
const NS = "http://www.w3.org/2000/svg";

/** A decoration: its button carries the words. */
export function icon(name, size = 18) {
  const svg = shape("svg", { viewBox: "0 0 24 24", width: size, height: size, "aria-hidden": "true", class: "icon" });
  svg.append(shape("path", { d: PATHS[name] }));
  return svg;
}

export function shape(tag, attributes) {
  const node = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** The mark: three panels, the middle one tall. */
export function mark() {
  const svg = shape("svg", { viewBox: "0 0 24 24", width: 24, height: 24, "aria-hidden": "true", class: "mark" });
  for (const [x, y, width, height] of [[1, 6, 5, 12], [8, 3, 8, 18], [18, 6, 5, 12]])
    svg.append(shape("rect", { x, y, width, height, rx: 1.5 }));
  return svg;
}
