"""Stamps the lines of a program with pexpect: read_lines.py OUTPUT PROGRAM ARGUMENT…"""
import sys
import time

import pexpect

child = pexpect.spawn(sys.argv[2], sys.argv[3:], timeout=None)
with open(sys.argv[1], "wb") as output:
    while True:
        line = child.readline()
        now = time.time()
        if not line:
            break
        output.write(b"[%.6f] " % now + line)
