"""A peer of Gatehouse: asks it over mutual TLS as another organization would, and judges what it answers.

It knows the standards and the command line of the program, never its sources.
"""
