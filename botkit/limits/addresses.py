"""Whose address something comes from, as far as addresses tell."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NETWORK = 64
"""Bits of an IPv6 address that a site gets; the others are its own choice."""


def parse_address(text: str) -> Address | None:
    """The address that ``text`` writes, with or without a port or a zone; None where it writes
    none. An IPv4 address that is written as one of IPv6 is one of IPv4."""
    host = text
    if text.startswith("["):
        host = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        host = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def network(address: Address) -> str:
    """What one visitor cannot leave by choosing another address."""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, _NETWORK), strict=False))
