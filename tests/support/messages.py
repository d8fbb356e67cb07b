"""A proxy that knows the messages of PostgreSQL's protocol, and does something at exactly one of them."""

import contextlib
import socket
import struct
import threading
import time
from dataclasses import dataclass

from support.proxy import Listener

# What the first message of a connection may be besides the startup message, and what the server answers with one byte.
SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST = 80877103, 80877104, 80877102


@dataclass(frozen=True, order=True)
class Moment:
    """A message: the connection's number, from 0 in the order in which clients connected; who sends it; its number among what that end sends."""
    connection: int
    sender: str  # "client" or "server"
    number: int


class MessageProxy(Listener):
    """Forwards 127.0.0.1:port to `target_port`, message by message.

    At the moment `at`, `fault` is called with the link and the message, which it forwards or does not; it gives whether the link goes on.
    `seen` tells afterwards which messages there were, in their order: (moment, kind, message), where kind is the message's first byte, or
    "startup", or "answer". `happened`: the moment came.
    """

    def __init__(self, target_port, at=None, fault=None):
        self.target_port = target_port
        self.at = at
        self.fault = fault
        self.seen = []
        self.happened = False
        self.lock = threading.Lock()
        self._links = []

    def __exit__(self, kind, value, trace):
        super().__exit__(kind, value, trace)
        for link in self._links:
            link.cut()
            link.close()

    def take(self, client):
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port))
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = Link(self, len(self._links), client, server)
        self._links.append(link)
        for sender in ("client", "server"):
            threading.Thread(target=link.forward, args=(sender,), daemon=True).start()


class Link:
    """One client's connection through the proxy. `pid` is the backend's once it has told it."""

    def __init__(self, proxy, number, client, server):
        self.proxy = proxy
        self.number = number
        self.ends = {"client": client, "server": server}
        self.pid = None
        self.stalled = False
        self._answers = 0  # single bytes that the server owes
        self._started = False
        self._numbers = {"client": 0, "server": 0}

    def send(self, sender, data):
        """What `sender` sends reaches the other end."""
        self.ends["server" if sender == "client" else "client"].sendall(data)

    def cut(self):
        """Both ends see an orderly end."""
        for end in self.ends.values():
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def reset(self):
        """Both ends see a reset, and lose what was under way."""
        for end in self.ends.values():
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RD)  # ends a wait for it in another thread, which would keep it open
            end.close()

    def close(self):
        for end in self.ends.values():
            end.close()

    def forward(self, sender):
        """Until the end that sends has nothing more to say, or the link is broken."""
        rest = b""
        try:
            while data := self.ends[sender].recv(1 << 16):
                if self.stalled:
                    continue
                rest += data
                ready = b""
                while message := self._first_message(sender, rest):
                    rest = rest[len(message):]
                    if not self._is_moment(sender, message):
                        ready += message
                        continue
                    if ready:
                        self.send(sender, ready)
                        ready = b""
                    if not self.proxy.fault(self, sender, message):
                        return
                if ready and not self.stalled:
                    self.send(sender, ready)
            if not self.stalled:
                self.ends["server" if sender == "client" else "client"].shutdown(socket.SHUT_WR)
        except OSError:
            if not self.stalled:
                self.cut()

    def _first_message(self, sender, data):
        """The first whole message, or nothing."""
        if sender == "server" and self._answers and data:
            return data[:1]
        at = 0 if sender == "client" and not self._started else 1
        if len(data) < at + 4:
            return b""
        length = at + struct.unpack_from("!i", data, at)[0]
        return data[:length] if len(data) >= length else b""

    def _is_moment(self, sender, message):
        with self.proxy.lock:
            moment = Moment(self.number, sender, self._numbers[sender])
            self._numbers[sender] += 1
            self.proxy.seen.append((moment, self._look_at(sender, message), message))
            if moment != self.proxy.at or self.proxy.happened:
                return False
            self.proxy.happened = True
            return True

    def _look_at(self, sender, message):
        """The message's kind; notes what changes how the next ones are read."""
        if sender == "server":
            if self._answers:
                self._answers -= 1
                return "answer"
            if message[:1] == b"K":
                self.pid = struct.unpack_from("!i", message, 5)[0]
            return message[:1].decode()
        if self._started:
            return message[:1].decode()
        code = struct.unpack_from("!i", message, 4)[0]
        self._answers += code in (SSL_REQUEST, GSS_REQUEST)
        self._started = code not in (SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST)
        return "startup"


# ---- what may happen at a message ----------------------------------------------------------------------------------

def cut(link, sender, message):
    """The network ends the connection in order, before the message."""
    link.cut()
    return False


def reset(link, sender, message):
    """The network resets the connection before the message."""
    link.reset()
    return False


def halve(link, sender, message):
    """A part of the message comes through, then the connection is reset."""
    link.send(sender, message[:(len(message) + 1) // 2])
    time.sleep(0.01)
    link.reset()
    return False


def stall(link, sender, message):
    """The network forgets the connection: from this message on nothing is forwarded, in neither direction, not even an end."""
    link.stalled = True
    return True


def slow(link, sender, message):
    """The message comes late and in small pieces."""
    time.sleep(0.2)
    step = max(1, len(message) // 16)
    for at in range(0, len(message), step):
        link.send(sender, message[at:at + step])
        time.sleep(0.005)
    return True


FAULTS = {fault.__name__: fault for fault in (cut, reset, halve, stall, slow)}


def moments(seen):
    """Of the messages that were seen: of equal ones in a row the first, one in the middle, and the last."""
    rows = {}
    for moment, kind, _ in sorted(seen):
        of_end = rows.setdefault((moment.connection, moment.sender), [])
        if of_end and of_end[-1][0] == kind:
            of_end[-1][1].append(moment)
        else:
            of_end.append((kind, [moment]))
    groups = [group for of_end in rows.values() for _, group in of_end]
    return sorted({group[at] for group in groups for at in (0, len(group) // 2, -1)})
