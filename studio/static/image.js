// The stage of the Image tab; six examples while it is empty.

import { examples } from "./examples.js";
import { stage } from "./stage.js";
import { t } from "./words.js";

export const imageStage = (place) => stage(place, { kinds: ["image"], heading: t("stage.title"), empty: examples() });
