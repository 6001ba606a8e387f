"""odd_server.py - A server whose SYN-ACKs acknowledge too much

Owns 198.18.95.0/24 behind a TUN of its own, odd0, until it is killed.
"""
import fcntl
import logging
import os
import struct
import subprocess

logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import IP, TCP

tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"odd0", 0x1001))
subprocess.run("ip link set odd0 up addrgenmode none &&"
               "ip route add 198.18.95.0/24 dev odd0", shell=True, check=True)
while True:
    p = IP(os.read(tun, 2048))
    if p.haslayer(TCP) and p[TCP].flags == "S":
        os.write(tun, bytes(IP(src=p.dst, dst=p.src) /
                            TCP(sport=p.dport, dport=p.sport, flags="SA",
                                seq=1, ack=p.seq + 78)))
