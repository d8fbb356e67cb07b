"""A run that comes no further than one table."""

from support.proxy import Proxy


def locked(side, tables):
    """A connection that keeps everybody from tables until it is closed."""
    connection = side.connect()
    with connection.cursor() as cursor:
        cursor.execute(f"BEGIN; LOCK TABLE {tables}")
    return connection


class HeldRun:
    """A run that comes no further than the table "last" until it is let go: somebody locks it on one side as soon as the run wants to. (Before
    the run has planned, a lock would hold up the plan.) `blocker` is the connection that has the lock, or None before; `process` is the run's.
    """

    def __init__(self, start, source, target, *, blocked):
        """start(source, target) starts the run, with --lock-timeout 0; blocked: 0 for the source, 1 for the target."""
        sides = [source, target]
        self.side = sides[blocked]
        self.blocker = None
        self.proxy = Proxy(self.side.cluster.port, self._lock)
        self.proxy.__enter__()
        sides[blocked] = self.side.tcp_conninfo(self.proxy.port)
        self.process = start(*sides)

    def _lock(self, _, request):
        if b'LOCK TABLE "public"."last"' in request and self.blocker is None:
            self.blocker = locked(self.side, "last")

    def __enter__(self):
        return self

    def let_go(self):
        """Gives its output when it has ended."""
        self.blocker.close()
        return self.process.communicate(timeout=60)

    def end(self, how):
        """By a signal. Gives its output."""
        self.process.send_signal(how)
        return self.process.communicate(timeout=60)

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        if self.blocker:
            self.blocker.close()
        self.proxy.__exit__(None, None, None)
