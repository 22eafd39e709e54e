"""A TCP relay in front of the test server, which can die between a request and its answer."""

import socket
import threading


class Relay:
    """Passes bytes to `host:port` and back, on a port of its own, until it is told to die."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.fatal = b""
        self.dead = False
        self.listener = socket.create_server(("localhost", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def die_before_answering(self, path: str) -> None:
        """The next request for `path` is passed on, and then every connection is cut."""
        self.fatal = path.encode()

    def live_again(self) -> None:
        self.fatal, self.dead = b"", False

    def close(self) -> None:
        self.listener.close()

    def accept(self) -> None:
        while True:
            try:
                client, _address = self.listener.accept()
            except OSError:
                return
            if self.dead:
                client.close()
                continue
            server = socket.create_connection(self.target)
            threading.Thread(target=self.pass_on, args=(client, server), daemon=True).start()
            threading.Thread(target=self.pass_back, args=(server, client), daemon=True).start()

    def pass_on(self, client: socket.socket, server: socket.socket) -> None:
        while piece := self.receive(client):
            if self.fatal and self.fatal in piece.split(b"\r\n", 1)[0]:
                self.dead = True
            self.give(server, piece)

    def pass_back(self, server: socket.socket, client: socket.socket) -> None:
        while piece := self.receive(server):
            if self.dead:
                break
            self.give(client, piece)
        self.cut(client)

    def cut(self, connection: socket.socket) -> None:
        """Ends it for the thread that reads from it, too."""
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        connection.close()

    def receive(self, source: socket.socket) -> bytes:
        try:
            return source.recv(65536)
        except OSError:
            return b""

    def give(self, target: socket.socket, piece: bytes) -> None:
        try:
            target.sendall(piece)
        except OSError:
            target.close()
