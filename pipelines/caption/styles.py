"""What each style asks of a model that takes instructions."""

from __future__ import annotations

from pipelines.requests import CaptionStyle

ALT_LENGTH = 125  # characters; screen readers cut there
INSTRUCTIONS = {
    CaptionStyle.SHORT: "Describe this picture in one short sentence.",
    CaptionStyle.DETAILED: "Describe this picture in detail: what is in it, where, the colours, the light, the style.",
    CaptionStyle.TAGS: "List what is in this picture as short tags, separated by commas. Write nothing else.",
    CaptionStyle.PROMPT: "Write a prompt for Stable Diffusion that would make this picture: subject, details, medium, "
    "style, light, as phrases separated by commas. Write nothing else.",
    CaptionStyle.ALT: "Write the alternative text of this picture for a website: one plain sentence of at most "
    f"{ALT_LENGTH} characters. Do not begin with 'image of' or 'picture of'.",
}
