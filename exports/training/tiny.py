"""A language model small enough to take an optimiser step within a second, made here, with no download.

A byte-level tokenizer (256 bytes and three marks, ChatML) and one Llama layer of width 16: it reads
every text of every language, and learns nothing worth keeping.
"""

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    LlamaForTokenClassification,
    PreTrainedTokenizerFast,
)

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PAD, START, END = "<|pad|>", "<|im_start|>", "<|im_end|>"


def tokenizer() -> PreTrainedTokenizerFast:
    letters = {letter: place for place, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    held = Tokenizer(models.BPE(vocab=letters, merges=[]))
    held.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    held.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=held, pad_token=PAD, eos_token=END, additional_special_tokens=[START]
    )
    made.chat_template = CHATML
    return made


def config(vocabulary: PreTrainedTokenizerFast) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        pad_token_id=vocabulary.pad_token_id,
        eos_token_id=vocabulary.eos_token_id,
    )


def causal(vocabulary: PreTrainedTokenizerFast, *, seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(config(vocabulary))


def step_scorer(vocabulary: PreTrainedTokenizerFast, *, seed: int = 0) -> LlamaForTokenClassification:
    """A process reward model: right or wrong at every token."""
    torch.manual_seed(seed)
    held = config(vocabulary)
    held.num_labels = 2
    return LlamaForTokenClassification(held)


def scorer(vocabulary: PreTrainedTokenizerFast, *, seed: int = 0) -> LlamaForSequenceClassification:
    """A reward model: one score a sequence."""
    torch.manual_seed(seed)
    held = config(vocabulary)
    held.num_labels = 1
    return LlamaForSequenceClassification(held)
