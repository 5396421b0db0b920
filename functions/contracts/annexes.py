"""The documents of a contract, by reference."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from functions.contracts.application import app, staff_act
from functions.contracts.models import DocumentAnswer, document_answer
from keywright.contracts import annexes
from keywright.contracts.desk import Desk
from keywright.contracts.models import Document
from keywright.platform import http
from keywright.platform.db import Transaction

Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Uri = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[a-z][a-z0-9+.-]*:[^\x00-\x20\x7f]+$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DocumentRequest(http.Body):
    """Where a document is kept, and the SHA-256 of its content."""

    title: Title
    uri: Uri
    sha256: Digest | None = None


@app.post("/v1/contracts/<contract_sid>/documents", status_code=201, summary="Refer to a document", tags=["contracts"])
def add_document(contract_sid: str, body: DocumentRequest) -> DocumentAnswer:
    """Keep where a document of the contract is, not the document itself."""

    def act(tx: Transaction, desk: Desk) -> Document:
        return annexes.add_document(
            tx, desk, contract_sid=contract_sid, title=body.title, uri=body.uri, sha256=body.sha256
        )

    return document_answer(staff_act(act))
