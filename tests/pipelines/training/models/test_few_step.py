"""The few-step variant: it begins as its teacher, learns its guidance, and is merged as it was trained."""

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler

from pipelines.image.model.lora import merge
from pipelines.training.models.image import denoiser, few_step, lora
from tests.pipelines.training import tiny
from tests.support.rounding import assert_same_forward


@pytest.fixture
def batch() -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(5)
    ids = torch.randint(0, 38, (4, tiny.LENGTH), generator=draw)
    return torch.randn(4, 4, 8, 8, generator=draw), ids, torch.tensor([999, 749, 499, 249])


def test_the_points_are_where_the_sampler_of_so_many_steps_asks():
    sampler = DPMSolverMultistepScheduler(
        denoiser.STEPS, trained_betas=denoiser.betas(), prediction_type="v_prediction", timestep_spacing="trailing"
    )
    for steps in (few_step.STEPS, 7):
        sampler.set_timesteps(steps)
        assert sampler.timesteps.tolist() == few_step.points(steps).tolist()


def test_half_of_the_times_are_those_of_the_few_steps():
    times = few_step.draw_times(np.random.default_rng(1), 4000)
    few = np.isin(times.numpy(), few_step.points()).mean()
    assert 0.47 < few < 0.55  # a few of the others fall there, too
    assert len(set(times.tolist())) > 500


def test_the_student_learns_what_guidance_makes_of_the_teacher(batch):
    student, teacher = tiny.unet(), tiny.unet()
    loss = few_step.few_step_loss(student, teacher, tiny.text(), torch.zeros(tiny.LENGTH))
    empty = (batch[0], torch.zeros_like(batch[1]), batch[2])  # where guidance changes nothing
    asked, same = (loss(b, torch.Generator().manual_seed(3))[0].item() for b in (batch, empty))
    assert same < 1e-4 < asked


def test_at_first_the_student_is_its_teacher(tmp_path):
    torch.manual_seed(0)
    run, _ = few_step.prepare(tmp_path, tiny.text(), tiny.unet(), torch.zeros(tiny.LENGTH))
    student, changed = tiny.unet(), tiny.unet()
    changes = lora.Changes(changed, rank=2, narrowest=16)
    x, states = torch.randn(1, 4, 8, 8), torch.randn(1, tiny.LENGTH, tiny.WIDE)
    assert_same_forward(changed(x, 7, states).sample, student(x, 7, states).sample)
    assert {name for name, _ in run.model.named_parameters()} == {n for n, _ in run.model.named_parameters()}
    assert all(p.requires_grad for p in changes.parameters())
    assert not any(p.requires_grad for n, p in changed.named_parameters() if n.endswith("original"))


def test_it_learns_and_leaves_its_teacher_alone(tmp_path, batch, monkeypatch):
    monkeypatch.setattr(lora.Changes.__init__, "__defaults__", (4, 16))
    teacher = tiny.unet()
    before = {k: v.clone() for k, v in teacher.state_dict().items()}
    run, loss = few_step.prepare(tmp_path, tiny.text(), teacher, torch.zeros(tiny.LENGTH))
    losses = []
    for _ in range(25):
        value, pictures = loss(batch, torch.Generator().manual_seed(3))
        losses.append(value.item())
        run.update(value, 3.0)
    assert pictures == 4
    assert losses[-1] < 0.8 * losses[0]
    assert all(torch.equal(teacher.state_dict()[k], v) for k, v in before.items())


def test_merged_weights_draw_what_the_trained_ones_drew(tmp_path):
    torch.manual_seed(1)
    trained, path = tiny.unet(), tmp_path / few_step.FILE
    changes = lora.Changes(trained, rank=2, narrowest=16)
    for part in changes.parts:
        part.up.data.normal_(0, 0.05)
    changes.save(path)
    merged = merge(tiny.unet(), path)
    x, states = torch.randn(1, 4, 8, 8), torch.randn(1, tiny.LENGTH, tiny.WIDE)
    with torch.inference_mode():
        plain = tiny.unet()(x, 7, states).sample
        assert not torch.allclose(trained(x, 7, states).sample, plain, atol=1e-3)
        assert torch.allclose(trained(x, 7, states).sample, merged(x, 7, states).sample, atol=2e-3)


def test_changes_of_another_model_are_refused(tmp_path):
    lora.Changes(tiny.unet(), rank=2, narrowest=16).save(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="the model has no"):
        merge(torch.nn.Linear(2, 2), tmp_path / "a.safetensors")


def test_changes_of_other_weights_are_taken_up(tmp_path):
    torch.manual_seed(2)
    first, other, path = tiny.unet(), tiny.unet(seed=1), tmp_path / few_step.FILE
    known, begun = (lora.Changes(unet, rank=2, narrowest=16) for unet in (first, other))
    for part in known.parts:
        part.up.data.normal_(0, 0.05)
    known.save(path)
    begun.take_up(path)
    for mine, theirs in zip(begun.parts, known.parts, strict=True):
        assert torch.allclose(mine.up @ mine.down, theirs.up @ theirs.down, atol=1e-3)
