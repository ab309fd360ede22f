"""A Whisper for all languages with random weights: it hears nothing, but in every language and at once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

LANGUAGES = ("en", "zh", "de", "es", "ru", "ko", "fr", "ja", "hi", *(f"x{i}" for i in range(90)))
WORDS = 50_257


def make_whisper(folder: Path, *, bands: int = 80, detects: str = "ja") -> Path:
    """Write a CTranslate2 Whisper of one layer to `folder`; in every sound it detects the language `detects`."""
    import tokenizers
    import torch
    from ctranslate2.converters.transformers import WhisperLoader
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    # By its empty word CTranslate2 knows a model for all languages.
    tokens = [*(f"w{i}" for i in range(WORDS - 1)), ""]
    special = ["endoftext", "startoftranscript", *LANGUAGES, "translate", "transcribe", "startoflm", "startofprev"]
    tokens += [f"<|{name}|>" for name in (*special, "nospeech", "notimestamps")]
    tokens += [f"<|{i * 0.02:.2f}|>" for i in range(1501)]
    torch.manual_seed(0)
    sizes = {f"{side}_{what}": n for side in ("encoder", "decoder") for what, n in (("layers", 1), ("ffn_dim", 16))}
    heads = {"encoder_attention_heads": 1, "decoder_attention_heads": 1}
    config = WhisperConfig(vocab_size=len(tokens), d_model=16, num_mel_bins=bands, **sizes, **heads)
    spec = WhisperLoader().get_model_spec(WhisperForConditionalGeneration(config))
    # The end is likely after each word, and one language always.
    bias = np.zeros(len(tokens), np.float32)
    bias[tokens.index(f"<|{detects}|>")] = 50
    bias[tokens.index("<|endoftext|>")] = 0.5
    spec.decoder.projection.bias = bias
    spec.register_vocabulary(tokens)
    first = tokens.index("<|startoftranscript|>")
    spec.config.suppress_ids = list(range(first, len(tokens)))
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = list(range(first + 1, first + 1 + len(LANGUAGES)))
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.optimize()
    folder.mkdir(parents=True)
    spec.save(str(folder))
    vocabulary = {token: i for i, token in enumerate(tokens)}
    model = tokenizers.models.WordLevel(vocabulary, unk_token="<|endoftext|>")
    made = tokenizers.Tokenizer(model)
    made.add_special_tokens(tokens[WORDS:])
    made.save(str(folder / "tokenizer.json"))
    assert json.loads((folder / "config.json").read_text())["lang_ids"]
    return folder
