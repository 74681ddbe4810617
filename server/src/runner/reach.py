"""Tells whether addresses can be reached: reach.py URL…; prints the first that cannot, and why, and ends with 1.

A URL may have a name for the index before it (`name=https://…`), and a password in it, which is neither sent nor shown.
"""

import sys
import urllib.error
import urllib.parse
import urllib.request

SECONDS = 5


def without_secrets(address):
    name, equals, url = address.partition("=")
    parts = urllib.parse.urlsplit(url if equals and not set(name) & {"/", ":"} else address)
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


for address in sys.argv[1:]:
    url = without_secrets(address)
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=SECONDS).close()
    except urllib.error.HTTPError:
        pass  # It answered; whether it likes the question is for the installer to find out.
    except (OSError, ValueError) as error:
        print(f"{url} cannot be reached: {getattr(error, 'reason', error)}.")
        sys.exit(1)
