"""JSON Lines: plain, gzip, zstd. The same rows always give the same bytes."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import islice

import zstandard

from exports.containers.base import Batch, Container
from exports.formats.columns import Columns

GZIP_FORMAT = 16 + zlib.MAX_WBITS  # zlib writes the gzip header itself, with no time and no name in it
GZIP_LEVEL, ZSTD_LEVEL = 4, 3
MEMBER = 32  # batches: some 4 MB of text


def plain(batches: Iterable[Batch], columns: Columns) -> Iterator[bytes]:
    for batch in batches:
        yield batch.text()


def gzip(batches: Iterable[Batch], columns: Columns) -> Iterator[bytes]:
    """Members of MEMBER batches each (RFC 1952, section 2.2: a file may have several), so that writing can go on.

    A member is yielded before the batch after it is asked for: a mark beside the file counts the rows so far.
    """
    batches = iter(batches)
    for first in batches:
        packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_FORMAT)
        packed = [packer.compress(first.text())]  # a batch's rows are let go as soon as it is packed
        packed += (packer.compress(batch.text()) for batch in islice(batches, MEMBER - 1))
        yield b"".join([*packed, packer.flush()])


def zstd(batches: Iterable[Batch], columns: Columns) -> Iterator[bytes]:
    """One frame: many readers stop at the end of the first."""
    packer = zstandard.ZstdCompressor(level=ZSTD_LEVEL, write_checksum=True).compressobj()
    for batch in batches:
        if packed := packer.compress(batch.text()):
            yield packed
    yield packer.flush()


NDJSON = "application/x-ndjson"
PLAIN = Container("jsonl", "JSON Lines", ".jsonl", NDJSON, plain, resumes=True)
GZIP = Container("jsonl.gz", "JSON Lines, gzip", ".jsonl.gz", "application/gzip", gzip, resumes=True)
ZSTD = Container("jsonl.zst", "JSON Lines, zstd", ".jsonl.zst", "application/zstd", zstd)
