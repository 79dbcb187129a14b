"""`python -m pipelines.training.evaluation.evaluate`: measure the bundled models, print the table, write
.bench/eval.json.

Every number is of something held out: pictures of a thing in a style that training never showed, compositions kept
back by hash, words that no caption contains. What cannot be measured yet is null in the file, and said in the table.
"""

import argparse
import json
from pathlib import Path

from diffusers import StableDiffusionPipeline

from pipelines.training.corpus.corpus import Corpus, cache_folder
from pipelines.training.evaluation import contact_sheet, model_metrics, picture_metrics, prompts
from pipelines.training.models.image import few_step
from pipelines.training.release import checkpoints

TARGETS = {
    "t2i_r1_of_real": 0.8, "t2i_colour": 0.8, "t2i_count": 0.6, "t2i_relation": 0.7, "t2i_unseen_words": 0.6,
    "clip_r1": 0.6, "clip_r5": 0.85, "caption_thing": 0.75, "caption_scene": 0.6, "caption_ms": 120.0,
    "picture_seconds": 1.5, "few_step_seconds": 0.25,
}  # fmt: skip
SMALLER_IS_BETTER = {"caption_ms", "picture_seconds", "few_step_seconds"}
OUT = Path(".bench") / "eval.json"
QUICK = 24


def evaluate(folder: Path, number: int, models: Path = checkpoints.MODELS) -> dict[str, float]:
    """All measurements that the existing models allow; `number` pictures for each."""
    corpus, tokens = Corpus.open(folder), checkpoints.load_tokens(folder, models)
    clip = checkpoints.load_clip(folder, models)
    result = model_metrics.retrieval(clip, tokens, corpus, 5 * number)
    result |= model_metrics.captioning(folder, models, corpus, 2 * number)
    pipe = contact_sheet.open_pipeline(models / "sprite")
    result |= (
        picture_metrics.speed(pipe)
        | picture_metrics.colour_words(pipe, number)
        | picture_metrics.counting(pipe, corpus, number)
    )
    result |= judged(folder, corpus, pipe, number, models)
    return result | few_step_speed(pipe, models / "sprite" / few_step.FILE)


def judged(folder: Path, corpus: Corpus, pipe: StableDiffusionPipeline, number: int, models: Path) -> dict[str, float]:
    """What only the judge can say; nothing without one. It is never published: nothing but this may learn from it."""
    judge = checkpoints.load_judge(folder, models)
    if judge is None:
        return {}
    asked = (judge, checkpoints.load_tokens(folder, models), corpus, pipe, number)
    return picture_metrics.retrieval(*asked) | picture_metrics.relations(*asked) | picture_metrics.unseen_words(*asked)


def few_step_speed(pipe: StableDiffusionPipeline, path: Path) -> dict[str, float]:
    """Seconds for one picture of the few-step variant, warm, where there is one; `pipe` is changed for good."""
    if not path.exists():
        return {}
    return {"few_step_seconds": picture_metrics.best_time(few_step.quicken(pipe, path), few_step.STEPS, guidance=1.0)}


def met(name: str, value: float | None) -> bool:
    """Whether a measurement reaches its target; one that is missing does not."""
    if value is None:
        return False
    return value <= TARGETS[name] if name in SMALLER_IS_BETTER else value >= TARGETS[name]


def table(result: dict[str, float]) -> str:
    """The measurements beside their targets."""
    lines = [f"{'measure':<20}{'value':>10}{'target':>10}"]
    for name, target in TARGETS.items():
        value = result.get(name)
        if value is None:
            lines.append(f"{name:<20}{'not measured':>10}{target:>8}")
            continue
        lines.append(f"{name:<20}{value:>10.3f}{target:>10}{'' if met(name, value) else '   missed'}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200, help="pictures for each measurement")
    parser.add_argument("--quick", action="store_true", help="24 pictures for each: a few minutes, coarse numbers")
    parser.add_argument("--sheet-only", action="store_true", help="only draw the contact sheet")
    options = parser.parse_args()
    pipe = contact_sheet.open_pipeline(checkpoints.MODELS / "sprite")
    page = contact_sheet.sheet(contact_sheet.paint(pipe, list(prompts.SHEET)), list(prompts.SHEET))
    (checkpoints.MODELS / "sheets").mkdir(exist_ok=True)
    page.save(checkpoints.MODELS / "sheets" / "prompts-48.webp", quality=88)
    if options.sheet_only:
        return
    result = evaluate(cache_folder(), QUICK if options.quick else options.pictures)
    print(table(result))
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(dict.fromkeys(TARGETS) | result, indent=2) + "\n")


if __name__ == "__main__":
    main()
