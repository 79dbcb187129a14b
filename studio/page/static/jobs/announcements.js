// What has become of one's jobs, said aloud once.

import { title } from "./kinds.js";
import { wordOf } from "../core/i18n.js";
import { announce } from "../core/toast.js";

export function announceJobs(changes) {
  changes.addEventListener("job", ({ detail: { job, before } }) => {
    if (!before || before.status === job.status || job.request.batch) return; // a batch tells of itself
    if (["done", "failed", "cancelled"].includes(job.status)) announce(wordOf(`said.${job.status}`, job.kind, { prompt: title(job) }));
  });
}
