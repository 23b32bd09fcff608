"""Everything physical: cameras, displays, doors. Each port has a real adapter, a simulated one and a memory one.

A memory or simulated adapter is used only when it is named; none is ever a fallback.
"""
