"""What may be reached: upstream's ``user-configured-url-restrictions``, judged on the resolved addresses.

Names and defaults are upstream's, and so is the beginning of each refusal; what follows names the setting. Stricter than
upstream: every address of a name counts and not only its first, ``rejectedIps`` is compared with the addresses and not
with the text, an address is recognised in every form that some resolver understands, and metadata services have a
switch of their own.

Source: Spinnaker compatibility facts, sections 4.7.5 and 7.5 (60).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network

from yarl import URL

from masthead.outbound.addresses import Address, Network, Place, is_own, literal, places, within
from masthead.outbound.problems import UrlRefused

__all__ = ["SETTINGS", "Restrictions", "parse_url"]

#: What upstream calls the block, and Masthead too.
SETTINGS = "user-configured-url-restrictions"
_AUTHORITY_END = re.compile(r"[/?#]")
_NO_HOSTS = (
    "Allowed Hostnames are not set, external HTTP requests are not enabled. Please configure"
    f" '{SETTINGS}.allowedHostnamesRegex' in your orca config."
)


@dataclass(frozen=True)
class Restrictions:
    """What an operator allows; the defaults are upstream's."""

    allowed_hostnames_regex: str = r".*\..+"
    allowed_schemes: Sequence[str] = ("http", "https")
    reject_localhost: bool = True
    reject_link_local: bool = True
    reject_metadata: bool = True
    reject_verbatim_ips: bool = True
    reject_private_networks: bool = False
    #: The private networks that may be reached; once any is named, no others.
    allowed_networks: Sequence[str] = ()
    rejected_ips: Sequence[str] = ()
    excluded_domains: Sequence[str] = ("spinnaker", "local", "localdomain", "internal")
    #: Variables of the environment whose values are excluded domains too.
    excluded_domains_from_environment: Sequence[str] = ()
    extra_excluded_patterns: Sequence[str] = ()
    excluded_domain_template: str = r"(?=.+\.%s$).*\..+"
    environment: Mapping[str, str] | None = None

    def check_scheme(self, url: URL) -> None:
        """Refuse a URL whose scheme is not allowed.

        Raises:
            UrlRefused: it is not.
        """
        if url.scheme.lower() not in {scheme.lower() for scheme in self.allowed_schemes}:
            raise _refused(f"unsupported URI scheme {url.with_query(None)}", "allowedSchemes")

    def check_host(self, host: str) -> UrlRefused | None:
        """Judge *host* before it is resolved.

        Returns:
            What is wrong with the name, which counts unless all its addresses are of this machine or link-local and
            these are allowed; None when the name is allowed.

        Raises:
            UrlRefused: no address could change the verdict.
        """
        if not self.allowed_hostnames_regex.strip():
            raise UrlRefused(_NO_HOSTS, setting=f"{SETTINGS}.allowedHostnamesRegex")
        address = literal(host)
        if address is not None:
            if self.reject_verbatim_ips:
                raise _refused("Verbatim IP addresses are not allowed", "rejectVerbatimIps")
            return None
        problem = self._name_problem(host)
        if problem is not None and self.reject_localhost and self.reject_link_local:
            raise problem
        return problem

    def check_addresses(self, host: str, addresses: Sequence[Address], problem: UrlRefused | None) -> None:
        """Judge what *host* resolved to: one address that is refused refuses the name.

        Args:
            host: For the message.
            addresses: All of them.
            problem: What :meth:`check_host` said about the name.

        Raises:
            UrlRefused: one of them must not be reached, or the name itself is not allowed.
        """
        for address in addresses:
            self.check_address(host, address)
        if problem is not None and not all(map(_is_near, addresses)):
            raise problem

    def check_address(self, host: str, address: Address) -> None:
        """Judge one address of *host*.

        Raises:
            UrlRefused: it must not be reached.
        """
        found = places(address)
        if is_own(address):
            found |= {Place.LOCALHOST}
        if Place.LOCALHOST in found and self.reject_localhost:
            raise _host_refused(host, Place.LOCALHOST, "rejectLocalhost")
        if Place.METADATA in found and self.reject_metadata:
            raise _host_refused(host, Place.METADATA, "rejectMetadata")
        if Place.LINK_LOCAL in found and self.reject_link_local:
            raise _host_refused(host, Place.LINK_LOCAL, "rejectLinkLocal")
        if Place.PRIVATE in found and not self._is_private_allowed(address):
            setting = "allowedNetworks" if self.allowed_networks else "rejectPrivateNetworks"
            raise _host_refused(host, Place.PRIVATE, setting)
        if Place.RESERVED in found and not is_own(address) and not within(address, self._allowed):
            raise _host_refused(host, Place.RESERVED, "allowedNetworks")
        if within(address, self._rejected):
            raise _refused(f"Address not allowed: {host}", "rejectedIps")

    def _is_private_allowed(self, address: Address) -> bool:
        if self.allowed_networks:
            return within(address, self._allowed)
        return not self.reject_private_networks

    def _name_problem(self, host: str) -> UrlRefused | None:
        name = host.removesuffix(".")
        if not self._hostnames.fullmatch(name):
            return _refused(f"Host not allowed: {host}", "allowedHostnamesRegex")
        if any(pattern.fullmatch(name) for pattern in self._excluded):
            return _refused(f"Host not allowed: {host}", "excludedDomains")
        if any(pattern.fullmatch(name) for pattern in self._extra):
            return _refused(f"Host not allowed: {host}", "extraExcludedPatterns")
        return None

    @cached_property
    def _hostnames(self) -> re.Pattern[str]:
        return re.compile(self.allowed_hostnames_regex, re.IGNORECASE)

    @cached_property
    def _excluded(self) -> tuple[re.Pattern[str], ...]:
        environment = self.environment or {}
        from_environment = (environment.get(name) for name in self.excluded_domains_from_environment)
        domains = [*self.excluded_domains, *(domain for domain in from_environment if domain)]
        template = self.excluded_domain_template
        return tuple(re.compile(template.replace("%s", re.escape(each)), re.IGNORECASE) for each in domains)

    @cached_property
    def _extra(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(each, re.IGNORECASE) for each in self.extra_excluded_patterns)

    @cached_property
    def _rejected(self) -> tuple[Network, ...]:
        return tuple(ip_network(each, strict=False) for each in self.rejected_ips)

    @cached_property
    def _allowed(self) -> tuple[Network, ...]:
        return tuple(ip_network(each, strict=False) for each in self.allowed_networks)


def parse_url(text: str) -> URL:
    """Give the URL of *text*, as it will be requested: one reading of it for the check and for the connection.

    User and password in it are left out, as upstream's client does; so is the fragment. A space behind the host is written
    as %20, so that names out of parameters may have one.

    Raises:
        UrlRefused: it is no absolute URL with a host.
    """
    bare = text.strip()
    is_spaced = " " in _AUTHORITY_END.split(bare.partition("://")[2], maxsplit=1)[0]
    if is_spaced or any((each.isspace() and each != " ") or not each.isprintable() for each in bare):
        raise UrlRefused(f"URI not valid: {_shown(text)}")
    try:
        url = URL(bare.replace(" ", "%20"))
        host = url.raw_host
        port = url.port
    except ValueError as error:
        raise UrlRefused(f"URI not valid: {_shown(text)}") from error
    if not url.absolute:
        raise UrlRefused(f"non absolute URI {_shown(text)}")
    if not host:
        raise UrlRefused(f"Unable to determine host for the url provided {_shown(text)}")
    if port == 0:
        raise UrlRefused(f"URI not valid: {_shown(text)}")
    return url.with_user(None).with_fragment(None)


def _shown(text: str) -> str:
    """Give *text* without what may be a secret: user, password and query."""
    bare = text.strip().partition("?")[0].partition("#")[0]
    scheme, separator, rest = bare.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}" if separator else bare


def _is_near(address: Address) -> bool:
    return is_own(address) or bool(places(address) & {Place.LOCALHOST, Place.LINK_LOCAL})


def _refused(sentence: str, setting: str) -> UrlRefused:
    return UrlRefused(f"{sentence} ({SETTINGS}.{setting})", setting=f"{SETTINGS}.{setting}")


def _host_refused(host: str, place: Place, setting: str) -> UrlRefused:
    sentence = f"Host not allowed: {host}, which is {place} ({SETTINGS}.{setting})"
    return UrlRefused(sentence, setting=f"{SETTINGS}.{setting}")
