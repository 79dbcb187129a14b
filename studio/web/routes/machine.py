"""The machine: models, status, health."""

from __future__ import annotations

from fastapi import APIRouter

from studio.web.context import Here, Owner

router = APIRouter(tags=["machine"])
_SHOWN = ("id", "name", "task", "source", "ready", "factor", "width", "height", "max_pixels", "steps",
          "guidance_scale", "sampler", "samplers", "sketch_steps", "answers", "reads", "voices", "here", "languages",
          "blends", "clones", "doubtful", "note", "inputs")  # fmt: skip


@router.get("/api/models")
def models(studio: Here, owner: Owner) -> dict:
    """The models that are here, with the defaults that suit them. refused: what lies beside them and why it is none."""
    refused = [{"id": each.id, "reason": each.reason} for each in studio.catalog.refused()]
    return {"models": [_view(entry) for entry in studio.catalog.entries()], "refused": refused}


def _view(entry: object) -> dict:
    """What this kind of model has of it. image_prompts: whether it can be shown pictures as parts of a prompt."""
    view = {name: getattr(entry, name) for name in _SHOWN if hasattr(entry, name)}
    if hasattr(entry, "adapter"):
        view["image_prompts"] = bool(entry.adapter and not entry.adapter.fault)
    return view


@router.get("/api/status")
def status(studio: Here, owner: Owner) -> dict:
    """notices: what whoever runs the studio should know, where they are the one who asks."""
    notices = [] if studio.settings.login else studio.notices.all()
    return {**studio.engine.status(owner), "notices": notices}


@router.get("/health")
async def health(studio: Here) -> dict:
    """For supervisors; needs no login and tells nothing of anybody. Waits for nothing, not even for a thread."""
    return {"ok": True, "worker": studio.engine.worker}
