"""Attention over a kept prefix in two parts: the same figures as one masked call, and no mask where none is
needed.
"""

import pytest
import torch
from transformers.masking_utils import sliding_window_causal_mask_function

from judges.backends.attention import NAME, attend, mask_if_needed
from judges.items import Message
from judges.requests import Likelihood, LikelihoodRequest


class Grouped(torch.nn.Module):
    num_key_value_groups, is_causal = 3, True


def drawn(fresh, past, dtype, seed=0):
    torch.manual_seed(seed)
    shapes = ((2, 9, fresh, 16), (2, 3, past + fresh, 16), (2, 3, past + fresh, 16))
    return [torch.randn(shape).to(dtype) for shape in shapes]


@pytest.mark.parametrize(("dtype", "off"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
@pytest.mark.parametrize(("fresh", "past"), [(2, 1), (7, 90), (60, 5), (150, 300)])
def test_two_parts_are_softmax_over_prefix_and_fresh_tokens(fresh, past, dtype, off):
    query, key, value = drawn(fresh, past, dtype)
    made, _ = attend(Grouped(), query, key, value, None, scaling=0.3, dropout=0.0)
    keys, values = (one.double().repeat_interleave(3, 1) for one in (key, value))
    scores = 0.3 * query.double() @ keys.transpose(-1, -2)
    hidden = torch.ones(fresh, past + fresh, dtype=torch.bool).triu(past + 1)
    wanted = torch.softmax(scores.masked_fill(hidden, -torch.inf), -1) @ values
    assert made.shape == (2, fresh, 9, 16)
    assert made.dtype == dtype
    assert float((made.double() - wanted.transpose(1, 2)).abs().max()) < off


def test_a_value_of_another_width_is_masked_as_usual():
    query, key, _ = drawn(4, 6, torch.float32)
    wide = torch.randn(2, 3, 10, 24)
    made, _ = attend(Grouped(), query, key, wide, None, scaling=0.25)
    keys, values = (one.repeat_interleave(3, 1) for one in (key, wide))
    scores = 0.25 * query @ keys.transpose(-1, -2)
    hidden = torch.ones(4, 10, dtype=torch.bool).triu(7)
    wanted = torch.softmax(scores.masked_fill(hidden, -torch.inf), -1) @ values
    assert torch.allclose(made, wanted.transpose(1, 2), atol=1e-5)


def test_a_mask_is_made_for_padding_windows_and_gaps_alone():
    plain = {"batch_size": 1, "q_length": 3, "kv_length": 8, "q_offset": 5, "kv_offset": 0}
    assert mask_if_needed(**plain) is None
    padded = torch.tensor([[False, True, True, True, True, True, True, True]])
    left_out = mask_if_needed(**plain, attention_mask=padded)
    assert left_out[0, 0].int().tolist() == [[0, 1, 1, 1, 1, 1, 0, 0], [0, *[1] * 6, 0], [0, *[1] * 7]]
    windowed = mask_if_needed(**plain, local_size=4, mask_function=sliding_window_causal_mask_function(4))
    assert windowed[0, 0].int().sum(-1).tolist() == [4, 4, 4]
    assert mask_if_needed(**{**plain, "q_offset": 4}) is not None
    assert mask_if_needed(**plain, allow_is_causal_skip=False) is not None


def test_the_small_model_runs_on_it_and_computes_equal_requests_once(smollm2):
    assert smollm2.model.config._attn_implementation == NAME
    ask = LikelihoodRequest((Message("user", "What is the capital of France?"),), "It is Paris.")
    other = LikelihoodRequest((Message("user", "What is the capital of Peru?"),), "It is Lima.")
    first, second, again = smollm2.answer([ask, other, ask])
    assert isinstance(first, Likelihood)
    assert again.total == first.total
    assert (again.usage.read, again.usage.reused) == (0, first.usage.read + first.usage.reused)
    assert again.usage.seconds == 0
    assert second.total != first.total
