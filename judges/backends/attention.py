"""Attention on a processor over a kept prefix, without a mask.

With P tokens in the cache and n fresh ones, a causal mask of (n, P + n) makes the kernel compute the fresh
tokens' upper half as well, has every layer turn the mask into numbers, and repeats the keys for every group
of heads. Here the fresh tokens attend to the prefix, where nothing is hidden, and causally to themselves, in
two calls whose results are merged by their log-sum-exps (Dao 2023, FlashAttention-2, section 3.1: the same
sum, so equal up to rounding).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "switchyard_prefix"
FLASH = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
OTHER = ("softcap", "position_bias", "s_aux", "cache")  # what some architectures ask of attention besides


def prefix_attention(model: PreTrainedModel) -> None:
    """Have `model`, on a processor, attend to cached prefixes in two parts; another attention stays."""
    if model.config._attn_implementation != "sdpa":
        return
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, mask_if_needed)
    model.set_attn_implementation(NAME)


def mask_if_needed(**wish: Any) -> Tensor | None:
    """No mask for plain causal attention over a full cache, the usual one for anything else."""
    plain = (
        wish.get("allow_is_causal_skip", True)
        and wish.get("local_size") is None
        and wish.get("attention_mask") is None
        and isinstance(wish.get("q_offset"), int)
        and wish["q_offset"] + wish["q_length"] == wish["kv_length"]
        and wish.get("kv_offset", 0) == 0
    )
    return None if plain else sdpa_mask(**wish)


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **rest: Any,
) -> tuple[Tensor, None]:
    """Attention output (B, n, H, E) of query (B, H, n, E) over key and value (B, H', P + n, E)."""
    fresh, past = query.shape[2], key.shape[2] - query.shape[2]
    if attention_mask is None and fresh > 1 and past > 0:
        odd = any(rest.get(name) is not None for name in OTHER) or rest.get("dropout")
        if not odd and key.shape[-1] == value.shape[-1]:
            return _in_two(query, key, value, past, scaling).transpose(1, 2).contiguous(), None
        attention_mask = torch.ones(fresh, past + fresh, dtype=torch.bool).tril(past)[None, None]
    made: Tensor
    made, _ = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **rest)
    return made, None


def _in_two(query: Tensor, key: Tensor, value: Tensor, past: int, scaling: float | None) -> Tensor:
    """softmax over both parts = the parts' own results weighted by e^lse: o1 + (o2 - o1) σ(lse2 - lse1)."""
    before, lse_before = FLASH(query, key[:, :, :past], value[:, :, :past], 0.0, False, scale=scaling)
    among, lse_among = FLASH(query, key[:, :, past:], value[:, :, past:], 0.0, True, scale=scaling)
    share = torch.sigmoid(lse_among - lse_before).unsqueeze(-1)  # (B, H, n, 1), f32
    return torch.lerp(before.float(), among.float(), share).to(query.dtype)
