// A thin ring that fills as a job goes on; for screen readers a progress bar.

import { shape } from "./core/icons.js";
import { set } from "./core/dom.js";
import { t } from "./core/i18n.js";

const RADIUS = 9;
const LENGTH = 2 * Math.PI * RADIUS;

export function ring() {
  const svg = shape("svg", { viewBox: "0 0 24 24", width: 24, height: 24, class: "ring", role: "progressbar", "aria-label": t("job.progress"), "aria-valuemin": 0, "aria-valuemax": 100 });
  const circle = (kind) => shape("circle", { cx: 12, cy: 12, r: RADIUS, class: kind });
  const arc = circle("arc");
  arc.setAttribute("stroke-dasharray", LENGTH);
  svg.append(circle("track"), arc);
  return {
    node: svg,
    /** fraction 0…1; `busy` when something goes on whose end is not known */
    update(fraction, busy = false) {
      arc.setAttribute("stroke-dashoffset", LENGTH * (1 - (busy ? 0.2 : fraction)));
      svg.classList.toggle("busy", busy);
      set(svg, { "aria-valuenow": busy ? null : Math.round(fraction * 100) });
    },
  };
}
