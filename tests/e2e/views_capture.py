#!/usr/bin/env python3
"""views_capture.py FILE SCAN FRAGMENTS - A capture of known connections, for views.sh

Nanosecond pcap, Ethernet. The connections, in the order of their first packets:
1  10.0.0.1:40001 > 10.0.0.9:80    completed in 30 ms, 3 bytes each way, one
                                   segment of the server twice, FIN by both
2  10.0.0.1:40002 > 10.0.0.9:81    refused
3  10.0.0.2:40003 > 10.0.0.9:8090  no answer to three SYNs
4  [2001:db8::1]:40004 > [2001:db8::9]:8090   completed in 2 ms, a RST out of the
                                   window, then data that shows it was ignored
5  10.0.0.3:40005 > 10.0.0.9:8090  begins in the middle, VLAN 7
6  10.0.0.1:40006 > 10.0.0.9:80    SYN, SYN-ACK, and that is all

SCAN gets another capture: 10.6.6.6 asks 40 ports of 10.0.0.9, all refused.
FRAGMENTS has one connection whose text comes in two pieces, the last one first,
and between them a fragment of somebody else.
"""
import socket
import struct
import sys

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MSS = struct.pack("!BBH", 2, 4, 1460)
START_NS = 1_700_000_000_000_000_000
packets = []


def csum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(ms, src, sport, dst, dport, flags, seq, ack=0, text=b"",
            options=b"", vlan=None):
    v6 = ":" in src
    family = socket.AF_INET6 if v6 else socket.AF_INET
    ends = socket.inet_pton(family, src) + socket.inet_pton(family, dst)
    length = 20 + len(options) + len(text)
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack,
                       (20 + len(options)) // 4 << 4, flags, 65000, 0, 0)
    pseudo = ends + struct.pack("!IHBB", length, 0, 0, 6)
    tcp = head + options + text
    tcp = tcp[:16] + struct.pack("!H", csum(pseudo + tcp)) + tcp[18:]
    if v6:
        ip = struct.pack("!IHBB", 6 << 28, length, 6, 64) + ends
    else:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, 6,
                         0) + ends
        ip = ip[:10] + struct.pack("!H", csum(ip)) + ip[12:]
    ether = b"\2\0\0\0\0\1" + b"\2\0\0\0\0\2"
    if vlan is not None:
        ether += struct.pack("!HH", 0x8100, vlan)
    ether += struct.pack("!H", 0x86dd if v6 else 0x0800)
    packets.append((START_NS + int(ms * 1_000_000), ether + ip + tcp))


class Conn:
    def __init__(self, client, cport, server, sport, vlan=None):
        self.ends = (client, cport, server, sport)
        self.vlan = vlan

    def c(self, ms, flags, seq, ack=0, text=b"", options=b""):
        segment(ms, *self.ends, flags, seq, ack, text, options, self.vlan)

    def s(self, ms, flags, seq, ack=0, text=b"", options=b""):
        segment(ms, *self.ends[2:], *self.ends[:2], flags, seq, ack, text,
                options, self.vlan)


one = Conn("10.0.0.1", 40001, "10.0.0.9", 80)
one.c(0, SYN, 1000, options=MSS)
one.s(20, SYN | ACK, 5000, 1001, options=MSS)
one.c(30, ACK, 1001, 5001)
one.c(31, PSH | ACK, 1001, 5001, b"one")
one.s(40, PSH | ACK, 5001, 1004, b"two")
one.s(240, PSH | ACK, 5001, 1004, b"two")
one.c(250, ACK, 1004, 5004)
one.c(300, FIN | ACK, 1004, 5004)
one.s(310, FIN | ACK, 5004, 1005)
one.c(320, ACK, 1005, 5005)
two = Conn("10.0.0.1", 40002, "10.0.0.9", 81)
two.c(400, SYN, 2000, options=MSS)
two.s(401, RST | ACK, 0, 2001)
three = Conn("10.0.0.2", 40003, "10.0.0.9", 8090)
three.c(500, SYN, 3000, options=MSS)
three.c(1500, SYN, 3000, options=MSS)
three.c(3500, SYN, 3000, options=MSS)
four = Conn("2001:db8::1", 40004, "2001:db8::9", 8090)
four.c(3600, SYN, 4000, options=MSS)
four.s(3601, SYN | ACK, 8000, 4001, options=MSS)
four.c(3602, ACK, 4001, 8001)
four.s(3603, RST, 900_000_000)
four.c(3604, PSH | ACK, 4001, 8001, b"still here")
four.s(3605, ACK, 8001, 4011)
five = Conn("10.0.0.3", 40005, "10.0.0.9", 8090, vlan=7)
five.c(3700, PSH | ACK, 70000, 90000, b"12345")
five.s(3701, ACK, 90000, 70005)
six = Conn("10.0.0.1", 40006, "10.0.0.9", 80)
six.c(3800, SYN, 6000, options=MSS)
six.s(3801, SYN | ACK, 9000, 6001, options=MSS)


def write(path):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for ns, data in packets:
            out.write(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(data),
                                  len(data)) + data)
    packets.clear()


def fragment():
    """Cut the last packet in two; its IP header is the first 20 bytes."""
    ns, data = packets.pop()
    ether, ip, body = data[:14], data[14:34], data[34:]
    for start, end, more in ((24, len(body), 0), (0, 24, 0x2000)):
        head = ip[:2] + struct.pack("!HHHBBH", 20 + end - start, 7,
                                    more | start // 8, 64, 6, 0) + ip[12:]
        head = head[:10] + struct.pack("!H", csum(head)) + head[12:]
        packets.append((ns, ether + head + body[start:end]))


write(sys.argv[1])
for port in range(1, 41):
    probe = Conn("10.6.6.6", 50000, "10.0.0.9", port)
    probe.c(10 * port, SYN, 7000, options=MSS)
    probe.s(10 * port + 1, RST | ACK, 0, 7001)
write(sys.argv[2])
cut = Conn("10.0.0.1", 40007, "10.0.0.9", 80)
cut.c(0, SYN, 1000, options=MSS)
cut.s(1, SYN | ACK, 5000, 1001, options=MSS)
cut.c(2, ACK, 1001, 5001)
cut.c(3, PSH | ACK, 1001, 5001, b"a text that is cut in two")
fragment()
last, first = packets.pop(-2), packets.pop()
segment(3, "10.0.0.8", 1, "10.0.0.9", 80, ACK, 1, 1, b"somebody else's text")
fragment()
packets[-1:] = [last, first]
cut.s(4, ACK, 5001, 1026)
write(sys.argv[3])
