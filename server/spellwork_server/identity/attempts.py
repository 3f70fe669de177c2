"""A limit on sign-in attempts, by email address and by network address."""

from __future__ import annotations

import hashlib
import ipaddress
import time
from functools import cached_property
from typing import TYPE_CHECKING

from spellwork_server.errors import RateLimited

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.strategies import MovingWindowRateLimiter


class Attempts:
    """Counts attempts in a window of one minute that moves with the clock.

    Names are counted in 65,536 buckets of each kind, so that an attacker who
    invents names cannot fill the memory.
    """

    def __init__(self, per_email: int, per_address: int) -> None:
        self._email_limit = per_email
        self._address_limit = per_address

    # ``limits`` is loaded with the first attempt: it brings many storages along, of which none is used here.

    @cached_property
    def _limiter(self) -> MovingWindowRateLimiter:
        from limits.storage import MemoryStorage  # noqa: PLC0415
        from limits.strategies import MovingWindowRateLimiter  # noqa: PLC0415

        return MovingWindowRateLimiter(MemoryStorage())

    @cached_property
    def _per_email(self) -> RateLimitItem:
        return _per_minute(self._email_limit)

    @cached_property
    def _per_address(self) -> RateLimitItem:
        return _per_minute(self._address_limit)

    def note(self, email: str, address: str) -> None:
        """Count an attempt. Raises RateLimited when there were too many, without counting this one."""
        self.note_address(address)
        self.note_email(email)

    def note_email(self, email: str) -> None:
        """Count an attempt at one account from wherever. Raises RateLimited."""
        self._hit(self._per_email, "email", email)

    def note_address(self, address: str) -> None:
        """Count an attempt that names no account. Raises RateLimited."""
        self._hit(self._per_address, "address", _network(address))

    def clear(self, email: str) -> None:
        """Forget the attempts at one account: its owner came in."""
        self._limiter.clear(self._per_email, "email", _bucket(email))

    def _hit(self, limit: RateLimitItem, kind: str, name: str) -> None:
        bucket = _bucket(name)
        if not self._limiter.hit(limit, kind, bucket):
            stats = self._limiter.get_window_stats(limit, kind, bucket)
            wait = max(1.0, stats.reset_time - time.time())
            raise RateLimited(
                f"Too many sign-in attempts for this {kind}; wait {round(wait)} s", retry_after=wait
            )


def _per_minute(attempts: int) -> RateLimitItem:
    from limits import RateLimitItemPerMinute  # noqa: PLC0415 - see Attempts

    return RateLimitItemPerMinute(attempts)


def _bucket(name: str) -> str:
    return hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=2).hexdigest()


def _network(address: str) -> str:
    """Return an address's network where one visitor holds many: the /64 of IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 4:
        return address
    return str(ipaddress.ip_network((ip, 64), strict=False))
