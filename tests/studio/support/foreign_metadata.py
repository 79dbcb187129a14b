"""Texts as other programs have written them into pictures: the shapes that are met in the wild."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sample:
    name: str
    text: str
    fields: dict
    other: dict = field(default_factory=dict)


A1111 = [
    Sample(
        "plain",
        "a portrait of a fox, (detailed:1.2), [soft]\n"
        "Negative prompt: lowres, bad anatomy\n"
        "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1234567890, Size: 512x768, Model hash: 6ce0161689, "
        "Model: v1-5-pruned-emaonly, Version: v1.6.0",
        {
            "prompt": "a portrait of a fox, (detailed:1.2), [soft]",
            "negative_prompt": "lowres, bad anatomy",
            "steps": 20,
            "sampler": "Euler a",
            "guidance_scale": 7.0,
            "seed": 1234567890,
            "width": 512,
            "height": 768,
            "model": "v1-5-pruned-emaonly",
        },
        {"Model hash": "6ce0161689", "Version": "v1.6.0"},
    ),
    Sample(
        "many lines",
        "first line,\nsecond: line\nBREAK third\nNegative prompt: one,\ntwo\nSteps: 30, Sampler: DPM++ 2M Karras, "
        "CFG scale: 4.5, Seed: 1, Size: 64x64, Denoising strength: 0.35, Clip skip: 2",
        {
            "prompt": "first line\nsecond: line\nthird",
            "negative_prompt": "one,\ntwo",
            "sampler": "DPM++ 2M Karras",
            "strength": 0.35,
        },
        {"Clip skip": "2"},
    ),
    Sample(
        "schedule in a setting of its own",
        "a\nSteps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 2, Size: 512x512",
        {"sampler": "DPM++ 2M Karras", "negative_prompt": ""},
        {"Schedule type": "Karras"},
    ),
    Sample(
        "a schedule that we do not tell apart",
        "a\nSteps: 20, Sampler: DPM++ SDE Karras, CFG scale: 7, Seed: 2, Size: 512x512",
        {"sampler": "DPM++ SDE"},
    ),
    Sample(
        "quoted values",
        'a\nSteps: 20, Sampler: DDIM, Seed: 2, Lora hashes: "add_detail: 7c6bad76eb54, more: 1", '
        'ControlNet 0: "Module: canny, Model: control_v11p [d14c016b], Weight: 1", Hires prompt: "a \\"b\\",\\nc", '
        "ADetailer model: face_yolov8n.pt",
        {"sampler": "DDIM"},
        {
            "Lora hashes": "add_detail: 7c6bad76eb54, more: 1",
            "ControlNet 0": "Module: canny, Model: control_v11p [d14c016b], Weight: 1",
            "Hires prompt": 'a "b",\nc',
            "ADetailer model": "face_yolov8n.pt",
        },
    ),
    Sample(
        "bare JSON of a sharing site",
        "a cat\nSteps: 25, Sampler: Euler, CFG scale: 3.5, Seed: 9, Created Date: 2024-06-12T0930:15.1234567Z, "
        'Civitai resources: [{"type":"checkpoint","modelVersionId":128713,"modelName":"A, B"}], Civitai metadata: {}',
        {"steps": 25, "sampler": "Euler"},
        {
            "Created Date": "2024-06-12T0930:15.1234567Z",
            "Civitai resources": '[{"type":"checkpoint","modelVersionId":128713,"modelName":"A, B"}]',
            "Civitai metadata": "{}",
        },
    ),
    Sample(
        "lines after the settings",
        "a fox\nSteps: 20, Sampler: Heun, CFG scale: 7, Seed: 2, Size: 512x512\n\nTemplate: a {fox|wolf}",
        {"prompt": "a fox", "sampler": "Heun"},
    ),
    Sample("no settings", "just a prompt, with: a colon", {"prompt": "just a prompt, with: a colon"}),
    Sample(
        "no prompt",
        "Steps: 20, Sampler: UniPC, CFG scale: 7, Seed: 2, Size: 512x512",
        {"prompt": "", "sampler": "UniPC"},
    ),
    Sample(
        "no prompt, but a negative one",
        "Negative prompt: 坏\nSteps: 20, Sampler: LCM, CFG scale: 1, Seed: 2, Size: 512x512",
        {"prompt": "", "negative_prompt": "坏", "sampler": "LCM", "guidance_scale": 1.0},
    ),
    Sample(
        "a sampler that we do not have",
        "a\nSteps: 20, Sampler: PLMS, CFG scale: 7, Seed: -1, Size: 512x512",
        {"sampler": "PLMS", "seed": -1},
    ),
]
