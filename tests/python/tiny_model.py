"""A GGUF that llama.cpp loads in milliseconds: llama architecture, two layers, random weights.

It talks nonsense, but it is a real model for a real engine. The vocabulary is the byte-level one of
SentencePiece (unknown, begin, end, 256 bytes) and printable ASCII; only the latter has non-zero
output weights, so that the nonsense is printable.
"""
from pathlib import Path

import gguf
import numpy as np

EMBEDDING, HEADS, LAYERS, FEED_FORWARD, CONTEXT = 64, 4, 2, 128, 131072
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"


def _vocabulary():
    kind = gguf.TokenType
    tokens = [(b"<unk>", kind.UNKNOWN), (b"<s>", kind.CONTROL), (b"</s>", kind.CONTROL)]
    tokens += [(b"<0x%02X>" % i, kind.BYTE) for i in range(256)]
    tokens += [("\u2581".encode() if c == 32 else bytes([c]), kind.NORMAL) for c in range(32, 127)]
    return tokens


def write(path):
    """Writes the model unless it is there; returns its path."""
    path = Path(path)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    _write(unfinished)
    unfinished.rename(path)
    return path


def _write(path):
    out, vocabulary, random = gguf.GGUFWriter(str(path), "llama"), _vocabulary(), np.random.default_rng(7)
    out.add_name("tiny")
    out.add_context_length(CONTEXT)
    out.add_embedding_length(EMBEDDING)
    out.add_block_count(LAYERS)
    out.add_feed_forward_length(FEED_FORWARD)
    out.add_head_count(HEADS)
    out.add_head_count_kv(HEADS)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(EMBEDDING // HEADS)
    out.add_file_type(gguf.LlamaFileType.ALL_F32)
    out.add_vocab_size(len(vocabulary))
    out.add_tokenizer_model("llama")
    out.add_token_list([token for token, _ in vocabulary])
    out.add_token_scores([0.0] * len(vocabulary))
    out.add_token_types([kind for _, kind in vocabulary])
    out.add_unk_token_id(0)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_add_bos_token(True)
    out.add_chat_template(TEMPLATE)

    def weights(name, *shape):
        out.add_tensor(name, (random.standard_normal(shape) * 0.3).astype(np.float32))

    def ones(name):
        out.add_tensor(name, np.ones(EMBEDDING, np.float32))

    weights("token_embd.weight", len(vocabulary), EMBEDDING)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        ones(block + "attn_norm.weight")
        ones(block + "ffn_norm.weight")
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights(f"{block}{part}.weight", EMBEDDING, EMBEDDING)
        weights(block + "ffn_gate.weight", FEED_FORWARD, EMBEDDING)
        weights(block + "ffn_up.weight", FEED_FORWARD, EMBEDDING)
        weights(block + "ffn_down.weight", EMBEDDING, FEED_FORWARD)
    ones("output_norm.weight")
    output = (random.standard_normal((len(vocabulary), EMBEDDING)) * 0.3).astype(np.float32)
    output[:259] = 0
    out.add_tensor("output.weight", output)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
