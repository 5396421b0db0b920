"""
The errors of SQS: the code that the query protocol uses, and the shape's name of the JSON protocol.
"""

from __future__ import annotations


class SqsError(Exception):
    """A request that SQS refuses."""

    code = "InvalidParameterValue"
    shape = "InvalidParameterValue"

    @property
    def message(self) -> str:
        """
        Say what is wrong, in the words that go over the wire.
        """
        return str(self)


class InvalidParameterValue(SqsError):
    """A value is outside of what the operation allows."""


class MissingParameter(SqsError):
    """A parameter that the operation needs is absent."""

    code = shape = "MissingParameter"


class UnsupportedOperation(SqsError):
    """The endpoint does not offer the operation."""

    code = shape = "UnsupportedOperation"


class QueueDoesNotExist(SqsError):
    """No queue has this name."""

    code = "AWS.SimpleQueueService.NonExistentQueue"
    shape = "QueueDoesNotExist"

    def __init__(self) -> None:
        super().__init__("The specified queue does not exist.")


class QueueAlreadyExists(SqsError):
    """A queue of this name has other attributes."""

    code = shape = "QueueAlreadyExists"


class InvalidAttributeName(SqsError):
    """A queue has no such attribute."""

    code = shape = "InvalidAttributeName"


class InvalidAttributeValue(SqsError):
    """A queue's attribute cannot have this value."""

    code = shape = "InvalidAttributeValue"


class ReceiptHandleIsInvalid(SqsError):
    """The handle was never given out by this queue."""

    code = shape = "ReceiptHandleIsInvalid"

    def __init__(self) -> None:
        super().__init__("The input receipt handle is invalid.")


class MessageNotInflight(SqsError):
    """The message is visible, so there is no timeout to change."""

    code = "AWS.SimpleQueueService.MessageNotInflight"
    shape = "MessageNotInflight"


class EmptyBatchRequest(SqsError):
    """A batch without entries."""

    code = "AWS.SimpleQueueService.EmptyBatchRequest"
    shape = "EmptyBatchRequest"


class TooManyEntriesInBatchRequest(SqsError):
    """More than ten entries."""

    code = "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
    shape = "TooManyEntriesInBatchRequest"


class BatchEntryIdsNotDistinct(SqsError):
    """Two entries of a batch share an id."""

    code = "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    shape = "BatchEntryIdsNotDistinct"


class InvalidBatchEntryId(SqsError):
    """An entry's id has characters or a length that are not allowed."""

    code = "AWS.SimpleQueueService.InvalidBatchEntryId"
    shape = "InvalidBatchEntryId"


class BatchRequestTooLong(SqsError):
    """The entries of a batch are larger than one message may be."""

    code = "AWS.SimpleQueueService.BatchRequestTooLong"
    shape = "BatchRequestTooLong"
