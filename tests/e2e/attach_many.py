"""attach_many.py - 1,000 people talk, each on a connection of his own

	attach_many.py SOCKET ADDRESS PORT SESSIONS

Opens SESSIONS connections to the chat listener, and attaches to each through
the control socket, most as tcphsctl does, by a control client of its own, the
rest some to a client. Each client says something that his reader must hear, each
reader answers, and all of them end: half the readers go first, half the clients.
Prints what is wrong and exits with 1, or nothing.
"""
import base64
import json
import socket
import sys

PATH, HOST, PORT, SESSIONS = (sys.argv[1], sys.argv[2], int(sys.argv[3]),
                              int(sys.argv[4]))
ALONE = 900  # sessions with a control client of their own
EACH = 8  # of the others at one client, which is as many as it may have
TIMEOUT = 60


class Control:
    """One client of the control socket, with up to EACH sessions."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(PATH)
        self.file = self.sock.makefile("rb")
        assert b"tcphs" in self.file.readline()
        self.sessions = {}

    def ask(self, **request):
        self.sock.sendall(json.dumps(request).encode() + b"\n")

    def line(self):
        return json.loads(self.file.readline())


def attach(control, number, client):
    """Four-tuple, for ids are the daemon's."""
    host, port = client.getsockname()[:2]
    control.ask(id=number, method="conn.attach",
                params={"conn": f"{HOST}:{PORT}-{host}:{port}"})
    control.sessions[number] = client


def hear(control):
    """Until each of its sessions has heard its client."""
    waiting = set(control.sessions)
    while waiting:
        line = control.line()
        if "error" in line:
            sys.exit(f"session {line['id']}: {line['error']}")
        item = line.get("item", {})
        if item.get("event") != "text":
            continue
        want = f"I am {line['id']}\n".encode()
        if base64.b64decode(item["base64"]) != want:
            sys.exit(f"session {line['id']} heard {item}")
        waiting.remove(line["id"])


def answer(control):
    """One at a time: what waits for an answer counts as a request, too."""
    for number in control.sessions:
        control.ask(id=f"s{number}", method="conn.send",
                    params={"session": number, "text": f"hello {number}\n"})
        line = control.line()
        if line.get("id") != f"s{number}" or "result" not in line:
            sys.exit(f"session {number}: {line}")


def main():
    clients = []
    for number in range(SESSIONS):
        clients.append(socket.create_connection((HOST, PORT), TIMEOUT))
        clients[-1].sendall(f"I am {number}\n".encode())
    controls = []
    for number, client in enumerate(clients):
        if number < ALONE or (number - ALONE) % EACH == 0:
            controls.append(Control())
        attach(controls[-1], number, client)
    for control in controls:
        hear(control)
    for control in controls:
        answer(control)
    for number, client in enumerate(clients):
        got = client.recv(100)
        if got != f"hello {number}\n".encode():
            sys.exit(f"client {number} heard {got}")
    for control in controls[::2]:
        control.sock.close()
    for client in clients:
        client.close()


main()
