"""The loop over stages, in this process, with a clock that stands still unless it is told to move."""

import logging

import pytest

from pipelines.requests import ImageRequest
from studio.worker.messages import AtWork, Begun, Chunk, Finished, GivenUp, Note, Preview, Progress, Stats
from studio.worker.runner.tasks import SURPRISE
from tests.studio.support.runner_bench import Bench


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_a_job_goes_through_its_stages_and_is_told_of(bench):
    job = bench.submit("long")
    bench.run()
    assert [type(m) for m in bench.said if not isinstance(m, Stats | Preview | AtWork)] == [
        Begun, Note, Note, *[Progress] * 5, Finished,
    ]  # fmt: skip
    assert bench.fate(job).info["seed"] == 0
    assert [m.text for m in bench.heard(Note)] == ["loading Faulty 40%", "prompt cut"]
    assert [m.jobs for m in bench.heard(Progress)] == [[[job, step, 4]] for step in range(5)]
    assert not bench.runner._tasks


def test_nan_ends_one_job_and_its_mates_do_not_notice(bench):
    jobs = [bench.submit(prompt) for prompt in ("", "nan_at=2", "")]
    bench.run()
    assert bench.fate(jobs[1]).code == "not_finite"
    assert all(isinstance(bench.fate(job), Finished) for job in (jobs[0], jobs[2]))


def test_out_of_memory_halves_the_batch_and_tries_again(bench, tmp_path):
    jobs = [bench.submit("oom_rows=2") for _ in range(8)]
    bench.run()
    assert all(isinstance(bench.fate(job), Finished) for job in jobs)
    widths = [line.count("|") + 1 for line in (tmp_path / "batches").read_text().splitlines()]
    assert max(widths) == 2
    assert sum(widths) == 8 * 4


def test_the_memory_of_a_row_is_measured(bench):
    bench.submit()
    bench.submit()
    bench.run()
    assert bench.scheduler.capacity.bytes_per_row(("step", "sprite", (64, 64)), 9) == 501


def test_alone_and_still_out_of_memory_fails_clearly_and_others_go_on(bench):
    big, small = bench.submit("oom_rows=0", width=128), bench.submit()
    bench.run()
    assert bench.fate(big).code == "out_of_memory"
    assert "smaller size" in bench.fate(big).sentence
    assert isinstance(bench.fate(small), Finished)


@pytest.mark.parametrize("where", ["raise_at=2", "raise_prepare"])
def test_what_nobody_foresaw_fails_the_culprit_only_and_is_logged(bench, where, caplog):
    jobs = [bench.submit(prompt) for prompt in ("", where, "")]
    with caplog.at_level(logging.ERROR):
        bench.run()
    assert bench.fate(jobs[1]).sentence == SURPRISE
    assert "a surprise" in caplog.text
    assert all(isinstance(bench.fate(job), Finished) for job in (jobs[0], jobs[2]))


def test_a_job_over_which_a_worker_died_steps_alone(bench, tmp_path):
    suspect = ImageRequest(seed=99, steps=4, width=64, height=64, guidance_scale=0)
    bench.runner.submit("suspect", "ann", suspect, attempts=1)
    jobs = [bench.submit() for _ in range(2)]
    bench.run()
    assert all(isinstance(bench.fate(job), Finished) for job in ("suspect", *jobs))
    assert sorted((tmp_path / "batches").read_text().split()) == ["0|1"] * 4 + ["99"] * 4
    assert ["suspect"] in [m.job_ids for m in bench.heard(AtWork)]


def test_a_missing_model_and_a_refusal_are_sentences(bench):
    missing, refused = bench.submit(model="missing"), bench.submit("refuse")
    bench.run()
    assert (bench.fate(missing).code, bench.fate(missing).sentence) == (
        "model_unavailable",
        "The model missing is not on this disk.",
    )
    assert bench.fate(refused).sentence == "This model refuses."


def test_cancel_before_the_next_step(bench):
    job, other = bench.submit(steps=50), bench.submit(steps=50)
    bench.run(moves=10)
    before = len(bench.said)
    bench.runner.cancel(job)
    bench.run()
    assert not [m for m in bench.said[before:] if isinstance(m, Progress) and job in [row[0] for row in m.jobs]]
    assert not bench.heard(Finished, job)
    assert isinstance(bench.fate(other), Finished)
    assert all(job not in stats.forecast for stats in bench.heard(Stats)[-1:])


def test_unknown_ids_do_no_harm(bench):
    bench.runner.cancel("nobody")
    bench.runner.pause("nobody")
    bench.runner.resume("nobody")
    bench.runner.reorder("nobody", ["nobody"])
    assert not bench.runner.advance()


def test_a_paused_job_takes_no_step_until_it_is_resumed(bench):
    job = bench.submit()
    bench.run(moves=3)
    bench.runner.pause(job)
    assert not bench.runner.advance()
    bench.runner.resume(job)
    bench.run()
    assert isinstance(bench.fate(job), Finished)


def test_start_pictures_reach_the_pipeline(bench):
    bench.pictures["0" * 64] = b"12345"
    job = bench.submit(start_picture="0" * 64)
    bench.run()
    assert bench.fate(job).info["start"] == 5


def test_previews_move_and_are_never_of_ended_jobs(tmp_path):
    bench = Bench(tmp_path, share=2.0, interval=0.0)
    job = bench.submit()
    bench.run()
    assert len(bench.heard(Preview, job)) == 3
    assert all(m.data.startswith(b"\xff\xd8") for m in bench.heard(Preview))


def test_a_broken_preview_costs_nobody_a_picture(bench, monkeypatch, caplog):
    pipeline = bench.shelf.pipeline(ImageRequest(), lambda *_: None)
    monkeypatch.setattr(pipeline, "preview", lambda state: 1 / 0)
    job = bench.submit()
    bench.run()
    assert isinstance(bench.fate(job), Finished)
    assert "division by zero" in caplog.text


def test_what_was_made_is_scored_together_and_keeps_its_place(bench):
    jobs = [bench.submit(f"score=0.{n}", steps=1) for n in (3, 7)]
    bench.run()
    assert [bench.fate(job).info["alignment"]["score"] for job in jobs] == [0.3, 0.7]
    assert all(bench.fate(job).vector == b"\0\x3c" for job in jobs)


def test_a_picture_that_cannot_be_scored_is_still_a_picture(bench, caplog):
    job = bench.submit("score=broken")
    bench.run()
    made = bench.fate(job)
    assert isinstance(made, Finished)
    assert "alignment" not in made.info
    assert "could not convert" in caplog.text


def test_parts_are_sent_as_they_are_ready(bench):
    job = bench.submit("says=hello", steps=3)
    bench.run()
    chunks = bench.heard(Chunk, job)
    assert [chunk.number for chunk in chunks] == [0, 1, 2]
    assert {chunk.data for chunk in chunks} == {b"hello"}
    assert bench.said.index(chunks[0]) < bench.said.index(bench.fate(job))


def contest(bench, scores, **fields):
    return [bench.submit(f"score={score}", group="g", early_stop=True, steps=6, **fields) for score in scores]


def test_candidates_that_fall_behind_are_given_up_after_a_third_of_the_steps(bench):
    jobs = contest(bench, (0.1, 0.9, 0.5, 0.2))
    other = bench.submit("score=0.0", steps=6)
    bench.run()
    given_up = {message.job_id: message.sentence for message in bench.heard(GivenUp)}
    assert set(given_up) == {jobs[0], jobs[3]}
    assert given_up[jobs[3]] == "Given up after 2 of 6 steps: other candidates agree better with the prompt."
    assert all(isinstance(bench.fate(job), Finished) for job in (jobs[1], jobs[2], other))


def test_a_cancelled_candidate_holds_nobody_up(bench):
    jobs = contest(bench, (0.9, 0.2, 0.1, 0.3))
    while not bench.heard(Progress):
        bench.runner.advance()
    bench.runner.cancel(jobs[3])
    bench.run()
    assert isinstance(bench.fate(jobs[0]), Finished)
    assert not bench.heard(GivenUp, jobs[0])


def test_candidates_that_cannot_be_compared_all_go_on(bench, caplog):
    jobs = contest(bench, (0.9, "broken"))
    bench.run()
    assert all(isinstance(bench.fate(job), Finished) for job in jobs)
    assert "could not convert" in caplog.text
