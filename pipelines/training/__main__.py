"""`python -m pipelines.training`: take every model that has not met its target further, from the newest weights.

Weights come from the cache folder's checkpoints, else from assets/models. Text towers and encoder are final: whatever
was trained on them knows their output. `--from-scratch` makes those again, and then everything after them.
"""

import argparse
import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import torch

from pipelines.caption import vocabulary
from pipelines.training import on_device
from pipelines.training.corpus import names  # fmt: skip
from pipelines.training.corpus.corpus import Corpus, cache_folder
from pipelines.training.data import couples, dataset
from pipelines.training.evaluation import evaluate, preview_fit
from pipelines.training.models import captioner
from pipelines.training.models.alignment import clip, conv_teacher, layout_text, text_alignment, vision
from pipelines.training.models.image import autoencoder, decoder, denoiser, few_step, image_prompt
from pipelines.training.release import checkpoints

EXAMPLES = {"portraits": 12_000, "scenes": 34_000}


def latents(folder: Path) -> None:
    """The drawn examples with their latents; made once."""
    Corpus.open(folder)
    for name, number in EXAMPLES.items():
        target = dataset.build(folder, name, number)
        if not (target / "latents.npy").exists():
            dataset.encode(target, checkpoints.load_autoencoder(folder))
    couples.build(folder, checkpoints.load_autoencoder(folder))


def train_text(folder: Path, minutes: float) -> None:
    clip.distil(folder, minutes)


def train_autoencoder(folder: Path, minutes: float) -> None:
    run = autoencoder.train(folder, minutes)
    run.model.load_state_dict(run.average)
    autoencoder.finish(run.model, Corpus.open(folder))
    checkpoints.save_final(folder, run.model)


def train_decoder(folder: Path, minutes: float) -> None:
    latents(folder)
    pairs = decoder.Pairs(folder, denoiser.everyday_examples(folder, checkpoints.load_tokens(folder)))
    text = checkpoints.load_prompts(folder, checkpoints.load_clip(folder))
    redrawn = decoder.Redrawing(checkpoints.load_quick(folder), text)
    decoder.refine(folder, checkpoints.load_autoencoder(folder), pairs, redrawn, minutes)


def train_layout(folder: Path, minutes: float) -> None:
    latents(folder)
    layout_text.train(
        folder,
        checkpoints.load_prompts(folder, checkpoints.load_clip(folder)),
        checkpoints.load_tokens(folder),
        minutes,
    )
    shutil.rmtree(folder / "wording", ignore_errors=True)  # words of the tower of before, which would hide this one


def train_wording(folder: Path, minutes: float) -> None:
    # As it was before all words, not before this cycle's: what each cycle forgets would be what the next one keeps to
    text, before = (
        checkpoints.load_prompts(folder, checkpoints.load_clip(folder), words=words) for words in (True, False)
    )
    text_alignment.train(folder, text, before, checkpoints.load_tokens(folder), minutes)


def train_unet(folder: Path, minutes: float) -> None:
    latents(folder)
    text = checkpoints.load_prompts(folder, checkpoints.load_clip(folder))
    important = autoencoder.importance(checkpoints.load_autoencoder(folder), denoiser.some_latents(folder))
    denoiser.train(folder, text, checkpoints.load_tokens(folder), minutes, checkpoints.load_unet(folder), important)


def train_eyes(folder: Path, minutes: float) -> None:
    conv_teacher.train(folder, checkpoints.load_clip(folder), checkpoints.load_tokens(folder), minutes)


def train_vision(folder: Path, minutes: float) -> None:
    """Convolutional eyes first, where there are none: they are what teaches."""
    if (teacher := checkpoints.load_eyes(folder)) is None:
        train_eyes(folder, minutes / 4)
        teacher = checkpoints.load_eyes(folder)
    known = (folder / "vision").exists() or (checkpoints.MODELS / "sprite-clip" / "model.safetensors").exists()
    vision.align(
        folder, checkpoints.load_clip(folder), checkpoints.load_tokens(folder), teacher, minutes, anew=not known
    )


def train_captioner(folder: Path, minutes: float) -> None:
    captioner.train(folder, minutes, checkpoints.load_clip(folder), checkpoints.load_captioner(folder))
    (checkpoints.MODELS / "sprite-captioner" / vocabulary.FILE).write_text(vocabulary_of(Corpus.open(folder)))


def vocabulary_of(corpus: Corpus) -> str:
    """What is said of each thing, what it is sought by, and what is said of several."""
    things = [thing.en for thing in corpus.things]
    return "".join(f"{names.alone(name)}\t{name}\t{names.several(name)}\n" for name in things)


def train_judge(folder: Path, minutes: float) -> None:
    """Eyes from their own seed, which never see what teaches Sprite CLIP."""
    conv_teacher.train(
        folder, checkpoints.load_clip(folder), checkpoints.load_tokens(folder), minutes, name="judge", seed=2
    )


def train_few_step(folder: Path, minutes: float) -> None:
    latents(folder)
    text = checkpoints.load_prompts(folder, checkpoints.load_clip(folder))
    important = autoencoder.importance(checkpoints.load_autoencoder(folder), denoiser.some_latents(folder))
    stored = checkpoints.MODELS / "sprite" / few_step.FILE
    known = stored if stored.exists() else None
    few_step.train(
        folder, text, checkpoints.load_tokens(folder), checkpoints.load_unet(folder), minutes, important, known
    )


def train_image_prompt(folder: Path, minutes: float) -> None:
    latents(folder)
    whole = checkpoints.load_clip(folder)
    text, unet = checkpoints.load_prompts(folder, whole), checkpoints.load_unet(folder)
    stored = checkpoints.MODELS / "sprite" / image_prompt.FILE
    known = image_prompt.open_weights(stored) if stored.exists() else None
    image_prompt.train(folder, whole, text, checkpoints.load_tokens(folder), unet, minutes, known)


# In the order in which they are trained; minutes of one cycle on two cores; the measures that say "met".
FINAL: dict[str, tuple[Callable, float]] = {
    "text": (train_text, 20),
    "autoencoder": (train_autoencoder, 60),
    "layout": (train_layout, 20),
    "eyes": (train_eyes, 20),
}
PIECES: dict[str, tuple[Callable, float, tuple[str, ...]]] = {
    "wording": (train_wording, 15, ("t2i_unseen_words",)),
    "unet": (train_unet, 120, ("t2i_r1_of_real", "t2i_colour", "t2i_count", "t2i_relation", "t2i_unseen_words")),
    "decoder": (train_decoder, 60, ("t2i_r1_of_real",)),
    "vision": (train_vision, 45, ("clip_r1", "clip_r5")),
    "captioner": (train_captioner, 30, ("caption_thing", "caption_scene")),
    "judge": (train_judge, 20, ()),
    "few-step": (train_few_step, 30, ("few_step_seconds",)),
    "image-prompt": (train_image_prompt, 30, ()),
}


def unmet(measured: dict[str, float]) -> list[str]:
    """The pieces with a target that was missed or never measured; the judge, once it is there, is left alone."""
    missed = {name for name in evaluate.TARGETS if not evaluate.met(name, measured.get(name))}
    return [piece for piece, (_, _, names) in PIECES.items() if missed & set(names)]


def chosen(options: argparse.Namespace, folder: Path) -> list[str]:
    """Which pieces to train now, in order."""
    if options.model:
        return [options.model]
    if options.from_scratch:
        return [*FINAL, *PIECES]
    measured = json.loads(evaluate.OUT.read_text()) if evaluate.OUT.exists() else {}
    first = [] if (folder / "judge" / "state.safetensors").exists() else ["judge"]
    return unmet(measured) + first


def stop_gently(number: int, frame: object) -> None:
    """SIGTERM as Ctrl-C: the run saves and ends."""
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m pipelines.training", description=__doc__)
    parser.add_argument("--model", choices=[*FINAL, *PIECES, *on_device.PIECES], help="train this piece only")
    parser.add_argument("--minutes", type=float, help="length of a cycle; an unfinished cycle is finished first")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="one, where others share the machine")
    on_device.add_options(parser)
    parser.add_argument("--from-scratch", action="store_true", help="begin with text tower and encoder")
    parser.add_argument("--publish", action="store_true", help="only write the newest weights to assets/models")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    signal.signal(signal.SIGTERM, stop_gently)
    folder = cache_folder()
    if options.device or options.pack or options.model in on_device.PIECES:
        on_device.main(folder, options)
        return
    for name in [] if options.publish else chosen(options, folder):
        train, minutes = {**FINAL, **PIECES}[name][:2]
        print(f"{name}: a cycle of {options.minutes or minutes:g} minutes", flush=True)
        train(folder, options.minutes or minutes)
    checkpoints.publish_all(folder)
    preview_fit.main(checkpoints.MODELS / "sprite")


if __name__ == "__main__":
    main()
