"""Fetches a file and checks it: fetch.py URL SHA256 FILE. The file is there only when it is the right one, and nothing
else is left behind."""

import hashlib
import http.client
import os
import sys
import tempfile
import urllib.request

SECONDS = 60

url, expected, file = sys.argv[1:]
digest = hashlib.sha256()
handle, unfinished = tempfile.mkstemp(prefix=os.path.basename(file) + ".", dir=os.path.dirname(os.path.abspath(file)))
try:
    with urllib.request.urlopen(url, timeout=SECONDS) as answer, open(handle, "wb") as kept:
        while block := answer.read(1 << 20):
            digest.update(block)
            kept.write(block)
    if digest.hexdigest() != expected.lower():
        sys.exit(f"{url} has the SHA-256 {digest.hexdigest()}, not {expected}")
    os.rename(unfinished, file)
except (OSError, ValueError, http.client.HTTPException) as error:
    sys.exit(f"{url} could not be fetched: {error}")
finally:
    if os.path.exists(unfinished):
        os.remove(unfinished)
