"""From statistics a row to values, intervals and p-values, the same to the last bit in any order.

Draws depend on the seed and on the position of units alone: callers sort rows by key.
"""
