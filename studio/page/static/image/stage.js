// The stage of the Image tab; six examples while it is empty.

import { composed } from "./request.js";
import { examples } from "./examples.js";
import { stage } from "../jobs/stage.js";
import { t } from "../core/i18n.js";

export const imageStage = (place) => stage(place, { kinds: ["image"], where: (job) => !composed(job.request), heading: t("stage.title"), empty: examples() });
