"""odd_server.py - A server whose SYN-ACKs acknowledge too much

Owns 198.18.95.0/24 behind a TUN of its own, odd0, until it is killed.
"""
import fcntl
import os
import struct
import subprocess

SYN, SYN_ACK = 0x02, 0x12


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def syn_ack(src, dst, sport, dport, ack):
    """Of IPv4, without options."""
    tcp = struct.pack("!HHIIBBHHH", sport, dport, 1, ack % 2**32, 5 << 4,
                      SYN_ACK, 8192, 0, 0)
    total = checksum(src + dst + struct.pack("!HH", 6, len(tcp)) + tcp)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0)
    ip += src + dst
    return (ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:] +
            tcp[:16] + struct.pack("!H", total) + tcp[18:])


tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"odd0", 0x1001))
subprocess.run("ip link set odd0 up addrgenmode none &&"
               "ip route add 198.18.95.0/24 dev odd0", shell=True, check=True)
while True:
    p = os.read(tun, 2048)
    if p[0] >> 4 != 4 or p[9] != 6:
        continue
    sport, dport, seq, _, _, flags = struct.unpack_from("!HHIIBB", p,
                                                        4 * (p[0] & 15))
    if flags & ~0xc0 == SYN:
        os.write(tun, syn_ack(p[16:20], p[12:16], dport, sport, seq + 78))
