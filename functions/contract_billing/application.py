"""The application that the routes of this function are added to, and the reception of whoever calls them."""

from __future__ import annotations

from functools import partial

from keywright.contracts.reception import Reception
from keywright.platform import clock, db, http

app = http.api()

_reception = Reception(db.transact, clock.now, route=partial(http.route, app), bearer=partial(http.bearer, app))

look = _reception.look
staff_act = _reception.staff_act
