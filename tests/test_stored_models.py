"""Model files of every released format open, and forecast what they did when they were written.

stored_models.py writes those of the present format; what stands there is never written again.
"""

import json

import numpy as np
import pytest
from stored_models import FOLDER, KINDS, issue

from rnncast.model.artifact import FORMAT_VERSION, load_model

MODELS = sorted(FOLDER.glob("format_*/*.npz"))

TOLERANCE = 1e-6
"""Relative: single precision of the network, which another version may add up in another order."""


def test_every_kind_of_the_present_format_is_kept():
    present = {path.stem for path in MODELS if path.parent.name == f"format_{FORMAT_VERSION}"}
    assert present == set(KINDS)


@pytest.mark.parametrize("path", MODELS, ids=[f"{path.parent.name}-{path.stem}" for path in MODELS])
def test_a_model_of_an_earlier_version_forecasts_what_it_did(path):
    got, expected = issue(path), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert got["ids"] == expected["ids"]
    assert got["times"] == expected["times"]
    for name in ("point", "network", "quantiles"):
        np.testing.assert_allclose(got[name], expected[name], rtol=TOLERANCE, err_msg=name)


def test_the_networks_of_the_models_count():
    """Forecasts that were all of a simple baseline would show nothing of the weights."""
    documents = [json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) for path in MODELS]
    assert all(len(set(document["network"])) > 1 for document in documents)
    assert sum(load_model(path).network_share > 0 for path in MODELS) >= len(KINDS) // 2
