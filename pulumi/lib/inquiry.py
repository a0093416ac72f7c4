"""Questions to AWS that may stay unanswered: what happens then depends on whether the stack has been made yet.

Before the first `up` some things are not there and some permissions are not given: a question without an answer is
a warning.  Afterwards a stack runs, and not to know is a reason not to touch it.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

import pulumi

T = TypeVar("T")

# What terraform-provider-aws says of a thing that is not there (`retry.NotFoundError`, `tfresource.EmptyResultError`,
# and `tfresource.SingularDataSourceFindError` of a service), DMS's own code, and Secrets Manager's own words.  Nothing
# wider: to take a failed look-up for a task that is not there would stop one that runs.
_NOT_FOUND = re.compile(
    r"couldn't find resource|empty result|no matching ECS Service found|ResourceNotFoundFault"
    r"|Secrets Manager can't find the specified secret"
)
# The codes with which AWS's services say that somebody may not (IAM guide, "Access denied error messages"; EC2's own is
# UnauthorizedOperation).
_DENIED = re.compile(r"AccessDenied|UnauthorizedOperation|AuthorizationError|not authorized")
_REASON_LENGTH = 300


class Inquiry:
    """Asks, and remembers what could not be answered."""

    def __init__(self, *, first: bool, problems: list[str]) -> None:
        """`first` says that nothing of the stack exists yet; `problems` gets what is refused."""
        self.first = first
        self._problems = problems

    def ask(
        self, what: str, action: str, question: Callable[[], T], *, absent: T | None = None, needed: bool = False
    ) -> T | None:
        """The answer, or `None` when there is none.

        `what` is looked for with the permission `action`.  With `absent`, a thing that is not there is an answer.  What
        is `needed` is a refusal at any time.
        """
        try:
            return question()
        except Exception as error:  # noqa: BLE001 -- whatever the provider says is what the operator has to read
            reason = in_a_line(error)
            if absent is not None and _NOT_FOUND.search(reason):
                return absent
            sentence = f"{what} cannot be looked up ({action}): {reason}"
            if self.first and not needed:
                pulumi.log.warn(f"{sentence}; the first `up` goes on without it, a later one does not")
            else:
                self._problems.append(f"{sentence}\n    {way_out(action, reason)}")
            return None


def in_a_line(error: Exception) -> str:
    """What a failed question was answered with, as a part of a sentence."""
    said = "".join(each if each.isprintable() else " " for each in str(error))
    return " ".join(said.split())[:_REASON_LENGTH]


def is_denied(reason: str) -> bool:
    """Whether the answer did not come because somebody may not ask."""
    return _DENIED.search(reason) is not None


def way_out(action: str, reason: str) -> str:
    """What helps against an answer that did not come: permission only where that is what was missing."""
    if is_denied(reason):
        return f"do: allow {action} to who runs this, and run it again"
    if _NOT_FOUND.search(reason):
        return "do: make it again under that name, or set the key that names it; then run it again"
    return "do: run it again, once AWS answers"


@dataclass(frozen=True, kw_only=True)
class Login:
    """What a secret says of where to log in, and as whom; what it does not say is `None`."""

    host: str | None = None
    port: int | None = None
    username: str | None = None
    password: bool | None = None
    """Whether DMS takes the password, which itself is told to nobody; `None` when there is none."""


# What DMS does not support in the secret of a MySQL-compatible database (DMS guide, "Creating source and target
# endpoints", https://docs.aws.amazon.com/dms/latest/userguide/CHAP_Endpoints.Creating.html: the table of unsupported
# characters in endpoint passwords and secrets, its rows "All" and "MySQL-compatible").
_REFUSED_BY_DMS = frozenset("{};")


def login_in(secret: str | None) -> Login:
    """Host, port and username in a secret's JSON, and whether its password will do; nothing else of it leaves.

    A secret of bytes has no text; a number may be too long for Python, and an object too deep: none is one to log in
    with.
    """
    try:
        loaded: object = json.loads(secret or "")
    except (ValueError, RecursionError):
        return Login()
    if not isinstance(loaded, dict):
        return Login()
    entries = cast("dict[str, object]", loaded)
    host, port = entries.get("host"), str(entries.get("port", ""))
    # As a resolver reads it, without the root's dot and in any case; a space is part of it, since DMS strips nothing.
    name = host.removesuffix(".").lower() if isinstance(host, str) else None
    username, password = entries.get("username"), entries.get("password")
    return Login(
        host=name,
        port=int(port) if re.fullmatch(r"[0-9]{1,5}", port) else None,
        username=username if isinstance(username, str) and username else None,
        password=not _REFUSED_BY_DMS & set(password) if isinstance(password, str) and password else None,
    )
