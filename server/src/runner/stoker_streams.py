"""Keeps standard error in order with standard output.

The two are separate pipes, so what was written to one just before the other cannot be told afterwards. For the
interpreter's own `sys.stderr` it can: its bytes go into the pipe of standard output, each piece after a header that
the reader takes out again (record separator, tag, four hexadecimal digits of length). A write of at most PIPE_BUF
bytes to a pipe is not torn apart. Standard error of programs that the task starts keeps its own pipe.
"""

import os

tag = os.environ.pop("STOKER_STDERR_TAG", "")
if tag:
    import io
    import stat
    import sys

    class TaggedError(io.RawIOBase):
        """The raw stream below `sys.stderr`."""

        def __init__(self, pipe, tag):
            self.pipe = pipe
            self.head = b"\x1e" + tag.encode()
            self.room = 4096 - len(self.head) - 4
            self.origin = self.identity()

        @staticmethod
        def identity():
            facts = os.fstat(2)
            return facts.st_dev, facts.st_ino

        def writable(self):
            return True

        def fileno(self):
            return 2

        def isatty(self):
            return False

        def write(self, data):
            # A program that put something else in place of file descriptor 2 means that.
            if self.identity() != self.origin:
                return os.write(2, data)
            left = memoryview(data).cast("B")
            length = len(left)
            while left:
                piece = bytes(left[: self.room])
                os.write(self.pipe, self.head + b"%04x" % len(piece) + piece)
                left = left[self.room :]
            return length

    def install():
        if not stat.S_ISFIFO(os.fstat(1).st_mode):
            return
        pipe = os.dup(1)  # not inheritable, and survives a redirection of file descriptor 1
        sys.stderr = io.TextIOWrapper(
            TaggedError(pipe, tag), encoding=sys.stderr.encoding, errors="backslashreplace", write_through=True
        )
        sys.stderr.mode = "w"
        sys.__stderr__ = sys.stderr

    install()
