"""The chaos run: kill everything at random, then audit what the lines themselves remember.

`python -m guanjia.demo.chaos` runs the whole house with four lines, breaks processes and the network
between them by a seed, lets all settle, and has an auditor read the lines' databases. A second, short
run without the lines' fence must fail that audit: it shows that the auditor sees.
"""
