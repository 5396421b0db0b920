"""
The kinds of error that callers may anticipate. They know no HTTP: only ``platform.problems`` maps them.

    KeywrightError
    ├── Malformed         the message cannot be read or trusted
    ├── TooLarge          the message is longer than we read
    ├── UnknownMedia      the message is in a form that we do not read
    ├── Invalid           the message is readable and wrong, whatever the state
    ├── Unauthenticated   nobody we know
    ├── Forbidden         somebody we know, who may not
    ├── NotFound          absent, or owned by somebody else: the two answer alike
    ├── Conflict          right in itself, but not in this state
    ├── TooMany           later
    ├── Unavailable       we cannot now; nothing was done
    └── Internal          the deployment itself is wrong

Each leaf class lives with its domain and carries a stable kebab-case ``code``, documented in docs/problems.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One field of a request that is wrong: where it stands (``body.email``) and what is wrong with it."""

    field: str
    detail: str


class KeywrightError(Exception):
    """An anticipated failure with a code that clients may rely on."""

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, *, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors


class Malformed(KeywrightError):
    """The message cannot be read or trusted."""


class TooLarge(KeywrightError):
    """The message is longer than anything that we read."""


class UnknownMedia(KeywrightError):
    """The message is in a form that we do not read."""


class Invalid(KeywrightError):
    """The message can be read and is wrong, whatever the state."""


class Unauthenticated(KeywrightError):
    """The caller did not prove who they are."""


class Forbidden(KeywrightError):
    """The caller is known and may not do this."""


class NotFound(KeywrightError):
    """There is no such thing, as far as this caller may know."""


class Conflict(KeywrightError):
    """The state does not allow it."""


class TooMany(KeywrightError):
    """The caller should slow down; ``retry_after_s`` says for how long."""

    def __init__(self, detail: str, *, retry_after_s: int = 5) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Unavailable(KeywrightError):
    """Something that we depend on does not answer; nothing was done."""


class Internal(KeywrightError):
    """The deployment is wrong: a missing setting or a broken secret."""


class RequestInvalid(Invalid):
    """A field of the request is missing, malformed, too long or unknown."""

    code = "request-invalid"
    title = "The request is not valid"


class RequestUnreadable(Malformed):
    """What arrived is not an HTTP request as API Gateway hands it over."""

    code = "request-unreadable"
    title = "The request cannot be read"


class BodyInvalid(Malformed):
    """The request's body is not what the route reads."""

    code = "body-invalid"
    title = "The request body cannot be read"


class BodyTooLarge(TooLarge):
    """The request's body is longer than any route reads."""

    code = "body-too-large"
    title = "The request body is too large"


class ContentTypeUnsupported(UnknownMedia):
    """The request's body is not sent as JSON."""

    code = "content-type-unsupported"
    title = "The content type is not supported"


class IdempotencyKeyInvalid(Invalid):
    """The header Idempotency-Key is empty, too long or holds odd characters."""

    code = "idempotency-key-invalid"
    title = "The idempotency key is not valid"


class IdempotencyKeyReused(Invalid):
    """The caller has used this Idempotency-Key for another request."""

    code = "idempotency-key-reused"
    title = "The idempotency key was used for another request"


class RequestInProgress(Conflict):
    """A request with this Idempotency-Key is being answered at this moment."""

    code = "request-in-progress"
    title = "The request is in progress"


class RouteNotFound(NotFound):
    """No route has this method and path."""

    code = "route-not-found"
    title = "There is no such route"


class DatabaseUnavailable(Unavailable):
    """The database did not answer; nothing was stored."""

    code = "database-unavailable"
    title = "The database does not answer"


class SettingMissing(Internal):
    """The deployment lacks a setting or a secret."""

    code = "setting-missing"
    title = "The deployment is incomplete"


class Unexpected(Internal):
    """A bug: the logs hold the correlation id and the trace."""

    code = "internal-error"
    title = "Something went wrong on our side"
