"""The loop's promises: an interrupted training ends with the same bytes, and what goes wrong is named."""

import json
import math
import os
import signal
import threading
from pathlib import Path

import pytest
import torch

from train.tiny_learner import STEPS, Line, kept, train, weights
from workings.core.errors import Diverged, Interrupted, UserError
from workings.core.evidence import read_rows
from workings.core.runs import Recorder
from workings.train.loop import fit

EPOCHS = 3


class PulledPlugError(BaseException):
    """Stands for SIGKILL: nothing in the loop may catch it."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("undisturbed")
    train(Line(), folder, EPOCHS)
    return kept(folder)


def terminate_at(number: int, sent: signal.Signals = signal.SIGTERM):
    return lambda line, step: os.kill(os.getpid(), sent) if step == number else None


def pull_plug_at(number: int):
    def pull(line: Line, step: int) -> None:
        if step == number:
            raise PulledPlugError

    return pull


@pytest.mark.parametrize("step", range(EPOCHS * STEPS))
def test_stopped_by_sigterm_at_any_batch_a_training_ends_with_the_same_bytes(
    step: int, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        train(Line(before_step=terminate_at(step)), tmp_path, EPOCHS)
    rest = Line()
    train(rest, tmp_path, EPOCHS)
    assert rest.steps == EPOCHS * STEPS - (step + 1), "the steps done before are not done again"
    assert kept(tmp_path) == undisturbed


def test_stopped_at_every_single_batch_it_ends_with_the_same_bytes(
    undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    for _ in range(EPOCHS * STEPS):
        with pytest.raises(Interrupted):
            train(Line(before_step=terminate_at(0)), tmp_path, EPOCHS)
    train(Line(before_step=pull_plug_at(0)), tmp_path, EPOCHS)
    assert kept(tmp_path) == undisturbed


@pytest.mark.parametrize("evaluation", range(EPOCHS))
def test_a_signal_during_an_evaluation_is_not_forgotten(
    evaluation: int, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    line = Line(before_evaluation=terminate_at(evaluation))
    with pytest.raises(Interrupted):
        train(line, tmp_path, EPOCHS)
    assert line.steps == STEPS * (evaluation + 1), "it stops before the next epoch begins"
    train(Line(), tmp_path, EPOCHS)
    assert kept(tmp_path) == undisturbed


@pytest.mark.parametrize("step", range(EPOCHS * STEPS))
def test_killed_at_any_batch_it_resumes_from_the_epoch_before(
    step: int, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(PulledPlugError):
        train(Line(before_step=pull_plug_at(step)), tmp_path, EPOCHS)
    rest = Line()
    train(rest, tmp_path, EPOCHS)
    assert rest.steps == STEPS * (EPOCHS - step // STEPS)
    assert kept(tmp_path) == undisturbed


def test_killed_in_the_middle_of_an_epoch_it_resumes_from_the_last_checkpoint_there(
    undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(PulledPlugError):
        train(Line(before_step=pull_plug_at(STEPS + 2)), tmp_path, EPOCHS, every=0.0)
    rest = Line()
    train(rest, tmp_path, EPOCHS)
    assert rest.steps == EPOCHS * STEPS - (STEPS + 2)
    assert kept(tmp_path) == undisturbed


def test_killed_between_metrics_and_checkpoint_nothing_is_measured_twice(
    undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise PulledPlugError

    with monkeypatch.context() as patch:
        patch.setattr("workings.train.loop.save_state", die)
        with pytest.raises(PulledPlugError):
            train(Line(), tmp_path, EPOCHS)
    assert (tmp_path / "metrics.jsonl").stat().st_size > 0
    train(Line(), tmp_path, EPOCHS)
    assert kept(tmp_path) == undisturbed


def test_a_longer_training_goes_on_from_a_shorter_one(tmp_path: Path) -> None:
    train(Line(), tmp_path / "at once", epochs=4)
    train(Line(), tmp_path / "in two", epochs=2)
    second = Line()
    train(second, tmp_path / "in two", epochs=4)
    assert second.steps == 2 * STEPS
    assert kept(tmp_path / "in two") == kept(tmp_path / "at once")


def test_fewer_epochs_than_reached_is_refused_with_a_way_out(tmp_path: Path) -> None:
    train(Line(), tmp_path, epochs=3)
    with pytest.raises(UserError, match=r"epoch 4 already.*after 2.*--again"):
        train(Line(), tmp_path, epochs=2)


def test_dropout_is_drawn_anew_at_every_step(tmp_path: Path) -> None:
    """Equal steps under equal weights differ by their dropout alone."""
    losses: list[float] = []

    class Frozen(Line):
        def step(self, batch: torch.Tensor, at: float) -> dict[str, torch.Tensor]:
            loss = self.network(self.x).square().mean()
            losses.append(float(loss.detach()))
            return {"loss": loss}

    fit(Frozen(), Recorder(tmp_path), title="line", epochs=2, seed=0)
    assert len(set(losses)) == 2 * STEPS


def test_schedules_are_told_the_epochs_done_with_their_fraction(tmp_path: Path) -> None:
    line = Line()
    train(line, tmp_path, epochs=2)
    assert line.times == pytest.approx([0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3])


def test_a_step_s_values_are_recorded_as_their_mean_over_the_epoch(tmp_path: Path) -> None:
    class Counting(Line):
        def step(self, batch: torch.Tensor, at: float) -> dict[str, torch.Tensor]:
            self.steps += 1
            return {"count": torch.tensor(float(self.steps))}

    train(Counting(), tmp_path, epochs=2)
    rows = [(r["step"], r["value"]) for r in read_rows(tmp_path / "metrics.jsonl") if r["name"] == "train/count"]
    assert rows == [(1, 2.0), (2, 5.0)]


def test_networks_train_in_training_mode_and_are_measured_without_dropout(tmp_path: Path) -> None:
    modes: list[tuple[str, bool]] = []
    line = Line(
        before_step=lambda line, _: modes.append(("step", line.network.training)),
        before_evaluation=lambda line, _: modes.append(("evaluation", line.network.training)),
    )
    train(line, tmp_path, epochs=2)
    assert set(modes) == {("step", True), ("evaluation", False)}


def test_the_best_weights_are_left_in_the_network_and_the_last_are_kept_too(tmp_path: Path) -> None:
    seen: list[list[torch.Tensor]] = []
    line = Line(before_evaluation=lambda line, _: seen.append(weights(line)), scores=[3.0, 1.0, 2.0])
    train(line, tmp_path, epochs=3)
    assert all(torch.equal(now, best) for now, best in zip(weights(line), seen[1], strict=True))
    last = Line()
    fit(last, Recorder(tmp_path), title="line", epochs=3, seed=7)  # resumes at the end
    assert all(torch.equal(now, end) for now, end in zip(weights(last), seen[2], strict=True))


def test_of_two_equally_good_epochs_the_first_is_kept(tmp_path: Path) -> None:
    seen: list[list[torch.Tensor]] = []
    line = Line(before_evaluation=lambda line, _: seen.append(weights(line)), scores=[1.0, 1.0])
    train(line, tmp_path, epochs=2)
    assert all(torch.equal(now, first) for now, first in zip(weights(line), seen[0], strict=True))


def test_without_a_metric_to_minimise_the_last_weights_stay(tmp_path: Path) -> None:
    seen: list[list[torch.Tensor]] = []
    line = Line(before_evaluation=lambda line, _: seen.append(weights(line)), scores=[1.0, 2.0])
    fit(line, Recorder(tmp_path), title="line", epochs=2, seed=0)
    assert all(torch.equal(now, last) for now, last in zip(weights(line), seen[1], strict=True))
    assert not (tmp_path / "checkpoints/best.safetensors").exists()


def poison_at(number: int, value: float = math.nan):
    def poison(line: Line, step: int) -> None:
        if step == number:
            with torch.no_grad():
                line.network[2].bias.fill_(value)

    return poison


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_the_training_and_names_step_and_parameter(
    value: float, tmp_path: Path
) -> None:
    with pytest.raises(Diverged, match=r"epoch 2, batch 3: loss is (nan|inf); .*line\.\d\.\w+"):
        train(Line(before_step=poison_at(STEPS + 2, value)), tmp_path, EPOCHS)


def test_a_score_that_is_not_finite_stops_the_training_too(tmp_path: Path) -> None:
    line = Line(before_evaluation=lambda line, n: poison_at(n)(line, n))
    with pytest.raises(Diverged, match=r"after epoch 1: error is nan; .*line\.2\.bias"):
        train(line, tmp_path, EPOCHS)


def test_after_a_divergence_the_checkpoint_before_it_is_still_good(
    undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    with pytest.raises(Diverged):
        train(Line(before_step=poison_at(STEPS + 2)), tmp_path, EPOCHS)
    train(Line(), tmp_path, EPOCHS)
    assert kept(tmp_path) == undisturbed


def test_metrics_hold_no_nan_that_other_readers_of_json_refuse(tmp_path: Path) -> None:
    with pytest.raises(Diverged):
        train(Line(scores=[1.0, math.nan]), tmp_path, EPOCHS)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line, parse_constant=pytest.fail)["name"] for line in lines].count("error") == 1


def test_a_second_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    def twice(line: Line, step: int) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("the second Ctrl-C was ignored")

    with pytest.raises(KeyboardInterrupt):
        train(Line(before_step=twice), tmp_path, EPOCHS)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_signals_go_their_old_ways_again_afterwards(sent: signal.Signals, tmp_path: Path) -> None:
    before = signal.getsignal(sent)
    with pytest.raises(Interrupted, match=r"in epoch 1 after 2 of 3 batches.*same command goes on"):
        train(Line(before_step=terminate_at(1, sent)), tmp_path, EPOCHS)
    assert signal.getsignal(sent) is before


def test_it_trains_in_a_thread_where_signals_cannot_be_caught(undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    thread = threading.Thread(target=train, args=(Line(), tmp_path, EPOCHS))
    thread.start()
    thread.join()
    assert kept(tmp_path) == undisturbed
