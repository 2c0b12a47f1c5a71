"""Whether something answers at an address, known within two seconds."""

from __future__ import annotations

import ssl
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

SECONDS = 2.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer; where it leads is the client's business."""

    def redirect_request(self, *args: object, **options: object) -> None:
        return None


def unreachable(url: str, *, seconds: float = SECONDS, proxy: str | None = None) -> str | None:
    """Why nothing answers HTTP at `url`, or None where something does, whatever it says.

    Without `proxy` the environment's hold. Name look-up has no time-out of its own, so the
    question is asked in a thread that is left behind when the time is over.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        return None  # a folder: its reader will say what is wrong with it
    proxies = {"http": proxy, "https": proxy} if proxy else urllib.request.getproxies()
    if set(proxies) & {"all", "socks"}:
        return None  # the clients can go through these, the question here cannot
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler(proxies))
    answer = [f"no answer within {seconds:g} s"]
    thread = threading.Thread(target=_ask, args=(opener, url, seconds, answer), daemon=True)
    thread.start()
    thread.join(seconds)
    return answer[-1] or None


def _ask(
    opener: urllib.request.OpenerDirector, url: str, seconds: float, answer: list[str]
) -> None:
    request = urllib.request.Request(url, method="HEAD")
    try:
        opener.open(request, timeout=seconds).close()
    except urllib.error.HTTPError:
        answer.append("")
    except urllib.error.URLError as error:
        refused_by_us = isinstance(error.reason, ssl.SSLError)  # the real client brings its own CAs
        answer.append("" if refused_by_us else _told(error.reason))
    except (OSError, ValueError) as error:
        answer.append(_told(error))
    else:
        answer.append("")


def _told(error: object) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return reason[0].lower() + reason[1:]
