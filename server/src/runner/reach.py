"""Tells whether addresses can be reached: reach.py URL…; prints the first that cannot, and why, and ends with 1."""

import sys
import urllib.error
import urllib.request

SECONDS = 5

for url in sys.argv[1:]:
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=SECONDS).close()
    except urllib.error.HTTPError:
        pass  # It answered; whether it likes the question is for the installer to find out.
    except (OSError, ValueError) as error:
        print(f"{url} cannot be reached: {getattr(error, 'reason', error)}.")
        sys.exit(1)
