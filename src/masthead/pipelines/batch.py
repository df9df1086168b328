"""What Front50 answers to many pipelines saved at once: what was saved, and what was not and why.

Source: Spinnaker compatibility facts, section 3.5 (``POST /pipelines/batchUpdate``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from masthead.kernel.errors import AccessDenied, Conflict, InvalidRequest, NotFound

__all__ = ["batch_result"]

#: What is the fault of one pipeline of a batch, and not of the whole.
_ITS_OWN_FAULT = (InvalidRequest, NotFound, Conflict, AccessDenied)


def batch_result(
    documents: Sequence[Any], results: Sequence[dict[str, Any] | BaseException]
) -> dict[str, Any]:
    """Give Front50's result: counts, the names of the saved, and each refused document with ``errorMsg``.

    Args:
        documents: As they were sent.
        results: For each the saved pipeline, or what saving it raised.

    Raises:
        BaseException: the first error that is no fault of its document, such as StorageUnavailable.
    """
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, _ITS_OWN_FAULT):
            raise result
    saved = [result["name"] for result in results if not isinstance(result, BaseException)]
    failed = [
        {**(document if isinstance(document, Mapping) else {}), "errorMsg": str(result)}
        for document, result in zip(documents, results, strict=True)
        if isinstance(result, BaseException)
    ]
    return {
        "successful_pipelines_count": len(saved),
        "successful_pipelines": saved,
        "failed_pipelines_count": len(failed),
        "failed_pipelines": failed,
    }
