"""Tasks: one small file per data set, its official-format reader and its protocol, prompt in sight.

The registry names them; nothing is imported until it is asked for.
"""
