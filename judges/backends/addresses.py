"""Where a remote model may live: the address that was checked is the address that is called.

Checking a URL and then fetching it would let a name that resolves twice (DNS rebinding) or a redirect slip
through; so the name is resolved once, every address is checked, and the connection goes to a checked one.
Redirects are not followed at all.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

import httpcore
import httpx

from judges.problems import RefusedAddress


def checked_addresses(url: str, *, private_allowed: bool) -> list[str]:
    """The addresses that the URL's host has now. Raises `RefusedAddress` where one of them may not be
    called.
    """
    parts = split(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise RefusedAddress(f"{parts.hostname!r} has no address: {error.strerror}.", url=url) from error
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    if not private_allowed:
        refuse_private(addresses, url)
        if parts.scheme != "https":
            raise RefusedAddress(
                f"{url!r} is not https, and only private servers may be called without.", url=url
            )
    return addresses


def refuse_at_sight(url: str, *, private_allowed: bool) -> None:
    """Raises `RefusedAddress` for what can be refused without resolving a name: no web process asks a name
    server for a visitor. The worker checks again, with the addresses that it calls.
    """
    parts = split(url)
    if private_allowed:
        return
    if parts.scheme != "https":
        raise RefusedAddress(
            f"{url!r} is not https, and only private servers may be called without.", url=url
        )
    host = parts.hostname or ""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise RefusedAddress(f"{url!r} is not on the public internet. The operator can allow it.", url=url)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return
    refuse_private([host], url)


def split(url: str) -> SplitResult:
    """The URL's parts. Raises `RefusedAddress` where it is none that a model could live at."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        fine = False
    if not fine:
        raise RefusedAddress(f"{url!r} is not an http or https address.", url=url)
    if parts.username or parts.password:
        raise RefusedAddress("The address must not hold a name or a password: keep the key apart.")
    return parts


def refuse_private(addresses: Iterable[str], url: str) -> None:
    """Raises `RefusedAddress` for an address that is not on the public internet."""
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
        if not inner.is_global or inner.is_multicast or not address.is_global:
            raise RefusedAddress(
                f"{url!r} leads to {text}, which is not a public address. The operator can allow "
                f"private ones.",
                url=url,
                address=text,
            )


class PinnedBackend(httpcore.NetworkBackend):
    """Connects to the checked addresses, whatever the name resolves to by now."""

    def __init__(self, host: str, addresses: list[str]) -> None:
        self.host, self.addresses = host, addresses
        self.inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        if host != self.host:
            raise httpcore.ConnectError(f"{host} is not {self.host}")
        last: httpcore.ConnectError | None = None
        for address in self.addresses:
            try:
                return self.inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                last = error
        raise last or httpcore.ConnectError(f"{host} has no address")

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: object = None
    ) -> httpcore.NetworkStream:
        raise httpcore.ConnectError("sockets of the file system are not called")

    def sleep(self, seconds: float) -> None:
        self.inner.sleep(seconds)


def pinned_client(
    url: str, *, private_allowed: bool, timeout: float, connections: int, headers: dict[str, str]
) -> httpx.Client:
    """A client for this base URL alone: checked addresses, no redirects, no proxy from the environment."""
    addresses = checked_addresses(url, private_allowed=private_allowed)
    transport = httpx.HTTPTransport(limits=httpx.Limits(max_connections=connections), trust_env=False)
    host = urlsplit(url).hostname or ""
    transport._pool._network_backend = PinnedBackend(host, addresses)  # httpx offers no other way in
    return httpx.Client(
        base_url=url,
        transport=transport,
        timeout=timeout,
        follow_redirects=False,
        headers=headers,
        trust_env=False,
    )
