"""A scripted TCP proxy: breaks, delays or acts at an exact point of a conversation between a client and a server."""

import contextlib
import socket
import struct
import threading


class Listener:
    """Listens on 127.0.0.1:port while it is entered, and gives every connection to `take`."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind, value, trace):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.take(client)

    def take(self, client):
        raise NotImplementedError


class Proxy(Listener):
    """Forwards 127.0.0.1:port to `target_port`: a port, or a function of a connection's number, from 0, that gives the port it is led to.

    on_request(number, data) is called with every chunk that a client sends, numbered over all connections from 0, before it is
    forwarded. Returning a number n lets n more bytes of that connection's answers through and then resets it. Returning bytes sends
    them to the client instead, and the server does not hear of the request.
    on_answer(data) is called with every chunk of the server's answers and gives what the client gets for it.
    After swallow() nothing is forwarded any more, in neither direction, and new connections are accepted but never answered.
    After stall() nothing is forwarded any more on the connections that there are, not even their ends, and new ones are as before.
    """

    def __init__(self, target_port, on_request=None, on_answer=None):
        self.target_port = target_port
        self.on_answer = on_answer or (lambda data: data)
        self.on_request = on_request or (lambda number, data: None)
        self.requests = 0
        self.connections = 0
        self.swallowing = threading.Event()
        self._lock = threading.Lock()
        self._closed = False
        self._sockets = []
        self._links = []

    def __exit__(self, kind, value, trace):
        with self._lock:  # a call of on_request that is under way ends first, and none follows
            self._closed = True
        super().__exit__(kind, value, trace)
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # a thread that reads from it would keep the connection open
            each.close()

    def swallow(self):
        with self._lock:
            self.swallowing.set()

    def stall(self, with_request=True):
        """May be called from on_request, whose data goes on to the server unless `with_request`."""
        for link in self._links:
            link.loses_request = with_request
            link.stalled = True

    def take(self, client):
        if self.swallowing.is_set():
            self._sockets.append(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self._port_of(self.connections)))
        except OSError:
            client.close()
            return
        self.connections += 1
        self._sockets += [client, server]
        link = _Link(client, server, self.swallowing, self.on_answer)
        self._links.append(link)
        threading.Thread(target=self._client_to_server, args=(link,), daemon=True).start()
        threading.Thread(target=link.server_to_client, daemon=True).start()

    def _port_of(self, connection):
        return self.target_port(connection) if callable(self.target_port) else self.target_port

    def _client_to_server(self, link):
        try:
            while data := link.client.recv(1 << 16):
                with self._lock:
                    if self._closed:
                        return
                    if self.swallowing.is_set() or link.stalled:
                        continue
                    number = self.requests
                    self.requests += 1
                    allowance = self.on_request(number, data)
                if link.loses_request:
                    continue
                if isinstance(allowance, bytes):
                    link.client.sendall(allowance)
                    continue
                if allowance is not None:
                    link.allowance = allowance
                    if allowance == 0:
                        link.reset()
                        return
                link.server.sendall(data)
            if not link.stalled:
                link.server.shutdown(socket.SHUT_WR)
        except OSError:
            link.reset()


def refusal(sqlstate, message, file="made_up.c"):
    """The answer of a server that refuses a request within a transaction."""
    fields = {"S": "ERROR", "V": "ERROR", "C": sqlstate, "M": message, "F": file, "L": "1", "R": "made_up"}
    body = b"".join(code.encode() + text.encode() + b"\0" for code, text in fields.items()) + b"\0"
    return b"E" + struct.pack("!i", len(body) + 4) + body + b"Z" + struct.pack("!i", 5) + b"E"


class _Link:
    """One client's connection through the proxy."""

    def __init__(self, client, server, swallowing, on_answer):
        self.client = client
        self.server = server
        self.swallowing = swallowing
        self.on_answer = on_answer
        self.allowance = None
        self.stalled = self.loses_request = False

    def server_to_client(self):
        try:
            while data := self.server.recv(1 << 16):
                if self.swallowing.is_set() or self.stalled:
                    continue
                data = self.on_answer(data)
                if self.allowance is None:
                    self.client.sendall(data)
                    continue
                self.client.sendall(data[:self.allowance])
                self.allowance -= len(data)
                if self.allowance <= 0:
                    break
            else:
                if not self.swallowing.is_set() and not self.stalled:
                    self.client.shutdown(socket.SHUT_WR)
                return
        except OSError:
            pass
        if not self.stalled:
            self.reset()

    def reset(self):
        """Closes both ends so that the client sees a reset and no orderly end."""
        for end in (self.client, self.server):
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
