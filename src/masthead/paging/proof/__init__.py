"""Proof: what an accepted page led to, looked up in PagerDuty and followed until somebody has it in hand.

How it is wired (server/wiring.py), one for the whole process, before ``bursts.run()``::

    proof = Proof(
        database, bursts, clock,
        readers={account.name: RestIncidents(account_rest_client), ...},   # only accounts with a REST token
        catalog=catalog,                                                   # asked for services and on-calls
        timings=Timings(wait_s=settings.paging.proof_wait_s, follow_s=settings.paging.follow_s),
    )

* It is the ``Witness`` of paging.outcomes: :meth:`Proof.expect_many` in the transaction that records an acceptance.
* It is the ``LookBack`` of paging.waiting: :meth:`Proof.has_arrived` before an event is sent again.
* :meth:`Proof.on_changed` tells who waits for an incident (``waitForIncident``) and web pages, after the commit, on
  the machine that looked; other machines read the row (:meth:`Proof.incident_of`, or the delivery itself).
* Nothing has to be started or stopped: the burst of kind ``proof`` does all, and ends with the bursts.
"""

from masthead.paging.proof.absence import OnCallBook
from masthead.paging.proof.proof import Proof
from masthead.paging.proof.rows import load_incidents
from masthead.paging.proof.schedule import Timings

__all__ = ["OnCallBook", "Proof", "Timings", "load_incidents"]
