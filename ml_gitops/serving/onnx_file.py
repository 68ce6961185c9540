"""The bytes of an ONNX file: canonical when written, distrusted when read."""

from collections.abc import Iterator, Mapping
from typing import Any

from ml_gitops.errors import ExportError

LARGEST_FILE = 512 * 2**20
DOUBLES_OPSET = 5
DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}


def raise_opset(model: Any) -> None:
    """Declare the opset of `ai.onnx.ml` that has tables and trees of doubles.

    skl2onnx knows the one before it, whose operators are the same in this one.

    Args:
        model: an onnx.ModelProto.
    """
    for opset in model.opset_import:
        if opset.domain == "ai.onnx.ml":
            opset.version = DOUBLES_OPSET


def canonical_bytes(model: Any, metadata: Mapping[str, str]) -> bytes:
    """Return the same bytes for the same graph in every process.

    Args:
        model: an onnx.ModelProto; skl2onnx lists its opsets in the order of a set.
        metadata: pairs of text to keep in the file.
    """
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    del model.metadata_props[:]
    for key in sorted(metadata):
        model.metadata_props.add(key=key, value=metadata[key])
    return bytes(model.SerializeToString(deterministic=True))


def refuse_unsafe(content: bytes) -> None:
    """Refuse a file that could read other files, or that needs operators of strangers.

    Raises:
        ExportError: naming what is wrong with it.
    """
    import onnx
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    hint = "export it again; a model is one file of standard operators"
    if len(content) > LARGEST_FILE:
        raise ExportError(f"the model has {len(content) / 2**20:.0f} MiB, over 512", hint=hint)
    try:
        model = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise ExportError("this is not an ONNX file", hint=hint) from None
    domains = {opset.domain for opset in model.opset_import}
    for message in _messages(model):
        if isinstance(message, onnx.NodeProto):
            domains.add(message.domain)
        external = isinstance(message, onnx.TensorProto) and (
            message.data_location == onnx.TensorProto.EXTERNAL or message.external_data
        )
        if external:
            raise ExportError(f"tensor {message.name!r} is kept in another file", hint=hint)
    if strange := sorted(domains - DOMAINS):
        raise ExportError(f"it needs operators of {', '.join(strange)}", hint=hint)


def _messages(message: Any) -> Iterator[Any]:
    """Yield a protobuf message and all messages inside it, wherever they hide."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if field.is_repeated else [value]:
                yield from _messages(part)
