"""Presets: what each changes, that what is named counts before it, and that the documents say the same."""

import re
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from panels import make_panel, random_walk

from rnncast.cli.options import TrainingChoices
from rnncast.errors import UsageError
from rnncast.model.config import TrainingConfig
from rnncast.training import presets
from rnncast.training.defaults import FEWEST_UPDATES, TrainOptions, resolve
from rnncast.training.presets import PRESETS, Preset

METHOD = (Path(__file__).resolve().parent.parent / "docs" / "method.md").read_text(encoding="utf-8")


@pytest.fixture
def panel(rng):
    return make_panel({"a": random_walk(rng, 12_000)})  # enough for a quarter of its updates to be more than the fewest


def settings(panel, **options):
    network, training, _ = resolve(TrainOptions(**options), panel)
    return network, training


@pytest.mark.parametrize("stateful", [False, True], ids=["windows", "stateful"])
@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_multiplies_updates_and_sets_members(panel, name, stateful):
    _, plain = settings(panel, stateful=stateful)
    _, got = settings(panel, stateful=stateful, preset=name)
    assert (got.preset, got.members) == (name, PRESETS[name].members)
    own = ["max_epochs", "validation_windows", "judged_windows", "fold_networks", *([] if stateful else ["batch_size"])]
    assert {of: getattr(got, of) for of in own} == {of: getattr(PRESETS[name], of) for of in own}
    factor = PRESETS[name].updates * plain.max_epochs / PRESETS[name].max_epochs
    assert got.epoch_updates == pytest.approx(factor * plain.epoch_updates, abs=max(1.0, factor))  # both are rounded
    same = {of: getattr(plain, of) for of in ("preset", "members", "epoch_updates", *own)}
    assert replace(got, **same) == plain


def test_the_default_is_what_stands_without_one(panel):
    assert settings(panel, preset="default") == settings(panel)
    assert PRESETS["default"] == Preset(TrainingConfig().members, updates=1.0)


def test_presets_train_more_and_more():
    amounts = [(preset.members, preset.updates) for preset in PRESETS.values()]
    assert amounts == sorted(amounts)
    assert len({updates for _, updates in amounts}) == len(amounts)


@pytest.mark.parametrize("name", PRESETS)
def test_what_is_named_counts_before_the_preset(panel, name):
    named = {"members": 5, "max_epochs": 7, "batch_size": 9}
    _, training = settings(panel, preset=name, **named)
    assert (training.members, training.max_epochs, training.batch_size) == (5, 7, 9)
    assert training.epoch_updates == settings(panel, **named)[1].epoch_updates  # epochs are as long as ever


def test_the_least_share_of_updates_still_trains(panel, monkeypatch):
    monkeypatch.setitem(presets.PRESETS, "fast", Preset(members=1, updates=1e-6))
    _, got = settings(panel, preset="fast")
    assert got.epoch_updates * got.max_epochs == FEWEST_UPDATES


def test_a_preset_that_there_is_not(panel):
    with pytest.raises(UsageError, match="--preset must be one of fast, default, best, found 'fats'"):
        settings(panel, preset="fats")


def test_the_option_and_the_documents_have_the_same_presets():
    kind = get_type_hints(TrainingChoices)["preset"]
    assert [word for part in get_args(kind) for word in get_args(part)] == list(PRESETS)
    rows = re.findall(
        r"^\| `(\w+)` \| (\d+) \| ([\d.]+), (\d+) \| (\d+) \| ([\d,]+), ([\d,]+) \| (.+) \|$", METHOD, re.MULTILINE
    )
    expected = [
        (name, f"{each.members}", f"{each.updates:g}", f"{each.max_epochs}", f"{each.batch_size}",
         f"{each.validation_windows:,}", f"{each.judged_windows:,}",
         "have networks of their own" if each.fold_networks else "rest on the network of the search")
        for name, each in PRESETS.items()
    ]  # fmt: skip
    assert rows == expected
