"""Where the packages of workers come from, as the operator has set it."""

from __future__ import annotations

from spellwork.workers.installer import Sources

from .settings import Settings


def package_sources(settings: Settings) -> Sources:
    """Return what installers of packages are told."""
    return Sources(
        index_url=settings.index_url,
        extra_index_urls=settings.extra_index_urls,
        find_links=settings.find_links,
        no_index=settings.no_index,
        build=settings.build_packages,
        variables=settings.uv_variables,
        seconds=settings.provision_seconds,
    )
