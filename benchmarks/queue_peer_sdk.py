"""A loop over the official SDK, facebook-business, single calls or its batches of 50.

python -m benchmarks.queue_peer_sdk fill|loop|batch PEOPLE
"""

from __future__ import annotations

import sys
from typing import Any

from facebook_business.adobjects.page import Page
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

from benchmarks import queue_recipients
from benchmarks.queue_campaign import PAGE

BATCH = 50


def _params(who: str, name: str) -> dict[str, Any]:
    message = {"text": queue_recipients.text(name)}
    return {"recipient": {"id": who}, "message": message, "messaging_type": "UPDATE"}


def loop() -> None:
    page = Page(PAGE)
    for number, who, name in queue_recipients.open_people():
        sent = page.create_message(params=_params(who, name))
        queue_recipients.note([(sent["message_id"], number)])


def batches(api: FacebookAdsApi) -> None:
    page, people = Page(PAGE), queue_recipients.open_people()
    for start in range(0, len(people), BATCH):
        batch, part, came = api.new_batch(), people[start : start + BATCH], list[Any]()
        for _, who, name in part:
            page.create_message(params=_params(who, name), batch=batch, success=came.append)
        batch.execute()
        ids = [answer.json()["message_id"] for answer in came]
        queue_recipients.note(zip(ids, [number for number, _, _ in part], strict=True))


def main(action: str, people: int) -> None:
    if action == "fill":
        queue_recipients.fill(people)
        return
    FacebookSession.GRAPH = queue_recipients.platform()
    api = FacebookAdsApi.init(access_token="token", api_version="v26.0")
    api._session.requests.trust_env = False
    loop() if action == "loop" else batches(api)
    queue_recipients.tell()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
