"""Reads TypeScript cells. It only parses, and never executes.

``syntax`` parses, ``names`` finds what a cell reads and binds, ``types`` makes port
schemas of its types, ``cells`` tells its form and ports, and ``unit`` writes what a
worker needs to run it. The parser is loaded when the first TypeScript cell is read.
"""
