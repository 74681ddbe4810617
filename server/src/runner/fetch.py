"""Fetches a file and checks it: fetch.py URL SHA256 FILE. The file is there only when it is the right one."""

import hashlib
import os
import sys
import urllib.request

SECONDS = 60

url, expected, file = sys.argv[1:]
unfinished = file + ".unfinished"
digest = hashlib.sha256()
try:
    with urllib.request.urlopen(url, timeout=SECONDS) as answer, open(unfinished, "wb") as kept:
        while block := answer.read(1 << 20):
            digest.update(block)
            kept.write(block)
except (OSError, ValueError) as error:
    sys.exit(f"{url} could not be fetched: {error}")
if digest.hexdigest() != expected.lower():
    os.remove(unfinished)
    sys.exit(f"{url} has the SHA-256 {digest.hexdigest()}, not {expected}")
os.rename(unfinished, file)
