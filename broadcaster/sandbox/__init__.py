"""A simulated Page on this machine: Meta's Graph API for Messenger and Instagram messaging over real HTTP.

From a test::

    with Sandbox(contacts=50, seed=7, behaviour=Behaviour.quiet()) as sandbox:
        person = sandbox.person(0)                          # wrote within the last day
        sandbox.subscribe("http://127.0.0.1:9000/webhook")   # signed with sandbox.app_secret
        sandbox.faults.order(Fault("drop", psid=person.psid, accepted=True, count=1))
        requests.post(f"{sandbox.url}/v26.0/{sandbox.page_id}/messages", json={...},
                      headers={"Authorization": f"Bearer {sandbox.page_token}"})
        sandbox.clock.move(timedelta(hours=25))             # the window closes
        sandbox.settle()                                    # receipts happen and are delivered now
        assert [entry.psid for entry in sandbox.ledger()] == [person.psid]

``sandbox.delivery`` shuffles, doubles, delays or holds events. The same over HTTP: ``control`` lists the
``/sandbox/...`` calls. Imports no other room, so that it can contradict them.
"""

from broadcaster.sandbox.dispatch import DeliveryMode
from broadcaster.sandbox.faults import Fault
from broadcaster.sandbox.ledger import Accepted
from broadcaster.sandbox.people import Behaviour, Person
from broadcaster.sandbox.server import Sandbox, SandboxPortTaken

__all__ = ["Accepted", "Behaviour", "DeliveryMode", "Fault", "Person", "Sandbox", "SandboxPortTaken"]
