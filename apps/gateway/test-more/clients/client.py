# Reads a replay, or publishes, as somebody would with Python: client.py requests|httpx read|publish URL
import sys

library, what, url = sys.argv[1:]
event = {
    "topic": "published",
    "event_id": library,
    "timestamp": "2025-12-08T10:00:00+00:00",
    "source": library,
    "payload": {"line": "a\u2028b"},
}
lines = {"Accept": "application/x-ndjson"}

if library == "requests":
    import requests

    if what == "publish":
        print(requests.post(url, json=event).json()["status"])
    else:
        with requests.get(url, headers=lines, stream=True) as response:
            for line in response.iter_lines():
                print(line.decode(), flush=True)
else:
    import httpx

    if what == "publish":
        print(httpx.post(url, json=event).json()["status"])
    else:
        with httpx.stream("GET", url, headers=lines) as response:
            for line in response.iter_lines():
                print(line.rstrip("\n"), flush=True)
