"""Engines on 1,000-node graphs: ours, the limit of what asyncio allows, and peers, in one run."""
