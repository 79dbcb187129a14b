// A brush on a canvas: strokes by mouse, pen or finger, an eraser, undo; what was painted, as a picture or a mask.

import { el } from "../core/dom.js";

const UNDO_BYTES = 96e6; // of remembered pixels
const SOLID = 128; // alpha from which a pixel of a mask counts: a mask has no half-tones, its blur is a setting

/** paper: white ground that an eraser brings back; else the canvas is clear. size: pixels of the canvas. */
export function brush(canvas, { paper, colour, size }) {
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const { width, height } = canvas;
  const steps = [];
  const cursor = el("div.brush-cursor", { hidden: true });
  const it = { canvas, cursor, colour, size, erasing: false, undo, invert, all, clear, take, mask, picture };
  const pixels = () => pen.getImageData(0, 0, width, height);
  const most = Math.max(3, Math.floor(UNDO_BYTES / (width * height * 4)));
  let last = null;
  if (paper) fill("#ffffff");

  function remember() {
    steps.push(pixels());
    if (steps.length > most) steps.shift();
  }
  function undo() {
    if (steps.length) pen.putImageData(steps.pop(), 0, 0);
  }
  function fill(paint) {
    pen.globalCompositeOperation = "source-over";
    pen.fillStyle = paint;
    pen.fillRect(0, 0, width, height);
  }
  function clear() {
    remember();
    if (paper) fill("#ffffff");
    else pen.clearRect(0, 0, width, height);
  }
  function all() {
    remember();
    fill(it.colour);
  }
  function invert() {
    remember();
    pen.globalCompositeOperation = "xor";
    pen.fillStyle = it.colour;
    pen.fillRect(0, 0, width, height);
  }
  /** Goes on with a mask, white on black. */
  function take(image) {
    pen.drawImage(image, 0, 0, width, height);
    const data = pixels();
    for (let i = 0; i < data.data.length; i += 4) data.data[i + 3] = data.data[i] >= SOLID ? 255 : 0;
    pen.putImageData(data, 0, 0);
    pen.globalCompositeOperation = "source-in";
    pen.fillStyle = it.colour;
    pen.fillRect(0, 0, width, height);
  }
  /** White where something was painted, black elsewhere; "" where nothing was. */
  async function mask() {
    const data = pixels();
    let any = false;
    for (let i = 0; i < data.data.length; i += 4) {
      const on = data.data[i + 3] >= SOLID;
      any ||= on;
      data.data.fill(on ? 255 : 0, i, i + 3);
      data.data[i + 3] = 255;
    }
    const sheet = el("canvas", { width, height });
    sheet.getContext("2d").putImageData(data, 0, 0);
    return any ? png(sheet) : "";
  }
  function picture() {
    return png(canvas);
  }

  const at = (event) => {
    const place = canvas.getBoundingClientRect();
    return [((event.clientX - place.left) * width) / place.width, ((event.clientY - place.top) * height) / place.height];
  };
  function stroke(to) {
    pen.globalCompositeOperation = it.erasing && !paper ? "destination-out" : "source-over";
    Object.assign(pen, { strokeStyle: it.erasing && paper ? "#ffffff" : it.colour, lineWidth: it.size, lineCap: "round", lineJoin: "round" });
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(...to);
    pen.stroke();
    last = to;
  }
  canvas.onpointerdown = (event) => {
    if (event.button) return;
    canvas.setPointerCapture(event.pointerId);
    remember();
    last = at(event);
    stroke(last);
  };
  canvas.onpointermove = (event) => {
    follow(event);
    if (!last) return;
    for (const one of event.getCoalescedEvents?.() ?? [event]) stroke(at(one));
    stroke(at(event));
  };
  canvas.onpointerup = canvas.onpointercancel = () => (last = null);
  canvas.onpointerleave = () => (cursor.hidden = true);

  /** The ring of the brush under a mouse; a finger sees what it does. */
  function follow(event) {
    cursor.hidden = event.pointerType === "touch";
    const place = canvas.getBoundingClientRect();
    const side = (it.size * place.width) / width;
    Object.assign(cursor.style, { width: `${side}px`, height: `${side}px`, left: `${event.clientX - place.left}px`, top: `${event.clientY - place.top}px` });
  }
  return it;
}

const png = (canvas) => new Promise((done) => canvas.toBlob(done, "image/png"));
