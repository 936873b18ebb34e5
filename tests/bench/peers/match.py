"""Times the matching of other tools over a log: match.py re|grabserial LOG PATTERN. Prints seconds and lines found."""
import importlib.machinery
import importlib.util
import io
import re
import sys
import time


def with_re(log, pattern):
    search = re.compile(pattern.encode()).search
    found = 0
    with open(log, "rb") as lines:
        for line in lines:
            if search(line):
                found += 1
    return found


class Replay:
    """Stands in for the serial port: gives grabserial a byte at a time and interrupts it at the end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def read(self, _):
        if self.at == len(self.data):
            raise KeyboardInterrupt
        self.at += 1
        return self.data[self.at - 1:self.at]

    def __getattr__(self, _):
        return lambda *arguments: None


def with_grabserial(log, pattern):
    loader = importlib.machinery.SourceFileLoader("grabserial", "/usr/bin/grabserial")
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("grabserial", loader))
    loader.exec_module(module)
    with open(log, "rb") as file:
        port = Replay(file.read())
    port.port, port.BAUDRATES = "replay", [115200]
    port.baudrate = port.bytesize = port.parity = port.stopbits = port.xonxoff = port.rtscts = port.timeout = None
    module.serial.Serial = lambda: port
    said = io.StringIO()
    module.thread.start_new_thread = lambda *arguments: None
    module.grab(["-S", "-d", "replay", "-t", "-Q", "-i", pattern], said)
    return 1


tool, log, pattern = sys.argv[1:]
began = time.perf_counter()
found = {"re": with_re, "grabserial": with_grabserial}[tool](log, pattern)
print(time.perf_counter() - began, found)
