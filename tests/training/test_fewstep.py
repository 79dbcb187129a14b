"""The few-step variant: its steps are DDIM's, it begins as its teacher, learns, and is merged as it was trained."""

import pytest
import torch
from diffusers import DDIMScheduler, LCMScheduler

from pipelines.lowrank import merge
from pipelines.training import denoiser, fewstep, lowrank
from tests.training import tiny


@pytest.fixture
def batch() -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(5)
    ids = torch.randint(0, 38, (4, tiny.LENGTH), generator=draw)
    return torch.randn(4, 4, 8, 8, generator=draw), ids, torch.zeros(4)


def test_a_step_is_the_one_of_ddim():
    angle, steps = torch.from_numpy(denoiser.angles()).float(), fewstep.points()
    ddim = DDIMScheduler(
        denoiser.STEPS, trained_betas=denoiser.betas(), prediction_type="v_prediction", clip_sample=False,
        set_alpha_to_one=False,
    )  # fmt: skip
    ddim.set_timesteps(25)  # a stride of 40, as between the points
    noisy, velocity = torch.randn(2, 1, 4, 8, 8, generator=torch.Generator().manual_seed(1))
    begin, end = int(steps[12]), int(steps[11])
    mine = fewstep.onward(noisy, velocity, angle[[begin]], angle[[end]])
    assert torch.allclose(mine, ddim.step(velocity, begin, noisy).prev_sample, atol=1e-4)


def test_the_points_lie_on_the_grid_of_the_sampler():
    lcm = LCMScheduler(denoiser.STEPS, trained_betas=denoiser.betas(), prediction_type="v_prediction")
    lcm.set_timesteps(1)
    assert int(fewstep.points()[-1]) == int(lcm.timesteps[0]) == denoiser.STEPS - 1
    assert fewstep.points().diff().min() > 0


def test_at_first_the_student_is_its_teacher(tmp_path):
    torch.manual_seed(0)
    run, _ = fewstep.prepare(tmp_path, tiny.text(), tiny.unet(), torch.zeros(tiny.LENGTH))
    student, changed = tiny.unet(), tiny.unet()
    changes = lowrank.Changes(changed, rank=2, narrowest=16)
    x, states = torch.randn(1, 4, 8, 8), torch.randn(1, tiny.LENGTH, tiny.WIDE)
    assert torch.allclose(changed(x, 7, states).sample, student(x, 7, states).sample)
    assert {name for name, _ in run.model.named_parameters()} == {n for n, _ in run.model.named_parameters()}
    assert all(p.requires_grad for p in changes.parameters())
    assert not any(p.requires_grad for n, p in changed.named_parameters() if n.endswith("original"))


def test_it_learns_and_leaves_its_teacher_alone(tmp_path, batch, monkeypatch):
    monkeypatch.setattr(lowrank.Changes.__init__, "__defaults__", (4, 16))
    teacher = tiny.unet()
    before = {k: v.clone() for k, v in teacher.state_dict().items()}
    run, loss = fewstep.prepare(tmp_path, tiny.text(), teacher, torch.zeros(tiny.LENGTH))
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
    trained, path = tiny.unet(), tmp_path / fewstep.FILE
    changes = lowrank.Changes(trained, rank=2, narrowest=16)
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
    lowrank.Changes(tiny.unet(), rank=2, narrowest=16).save(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="the model has no"):
        merge(torch.nn.Linear(2, 2), tmp_path / "a.safetensors")
