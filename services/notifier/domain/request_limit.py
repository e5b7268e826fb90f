"""A limit of requests for each client and for all of them, in a sliding window of real time."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(slots=True)
class RequestLimit:
    """At most `most_each` requests of a client and `most_all` of all clients within `window`."""

    most_each: int
    most_all: int
    window: timedelta
    _by_client: dict[str, deque[datetime]] = field(
        default_factory=lambda: defaultdict[str, deque[datetime]](deque)
    )
    _all: deque[tuple[datetime, str]] = field(default_factory=deque[tuple[datetime, str]])

    def admit(self, client: str, now: datetime) -> timedelta | None:
        """None: the request may go on. Else how long the client has to wait."""
        while self._all and self._all[0][0] <= now - self.window:
            _, old = self._all.popleft()
            requests = self._by_client[old]
            requests.popleft()
            if not requests:
                del self._by_client[old]
        own = self._by_client.get(client)
        if own and len(own) >= self.most_each:
            return own[0] + self.window - now
        if len(self._all) >= self.most_all:
            return self._all[0][0] + self.window - now
        self._by_client[client].append(now)
        self._all.append((now, client))
        return None
