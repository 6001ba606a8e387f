/*
 * sim_packet.c - The sending side of a device
 *
 * A device that was promised checksum and segmentation offload completes
 * checksums and cuts super-segments. Doing that here means that nothing the
 * stack hands out is taken on trust: lengths, header checksum, the partial
 * TCP checksum and the size of each segment are looked at before the packet
 * leaves. It shares no code with the stack, so that no error cancels out.
 */
#include "sim.h"

#include <string.h>

#include "sim_segment.h"

uint16_t packet_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	uint64_t s = sum;

	for (; len > 1; p += 2, len -= 2)
		s += get16(p);
	if (len)
		s += (uint32_t)p[0] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)s;
}

static uint32_t head_len(const uint8_t *pkt)
{
	return pkt[0] >> 4 == 4 ? (pkt[0] & 15) * 4u : 40;
}

static uint16_t pseudo_sum(const uint8_t *pkt, uint32_t tcp_len)
{
	if (pkt[0] >> 4 == 4)
		return packet_sum(pkt + 12, 8, PROTO_TCP + tcp_len);
	return packet_sum(pkt + 8, 32, PROTO_TCP + tcp_len);
}

static void complete_csum(uint8_t *pkt, uint32_t len)
{
	uint32_t off = head_len(pkt), tcp_len = len - off;

	put16(pkt + off + 16, 0);
	put16(pkt + off + 16, 0xffffu ^ packet_sum(pkt + off, tcp_len,
						   pseudo_sum(pkt, tcp_len)));
}

static void check_ip(const struct stack_conf *conf, const struct stack_pkt *out,
		     const uint8_t *pkt)
{
	if (out->ipv6) {
		SIM_REQUIRE(pkt[0] >> 4 == 6, "not an IPv6 header");
		SIM_REQUIRE(get16(pkt + 4) + 40u == out->len,
			    "IPv6 length %u in a packet of %u", get16(pkt + 4),
			    out->len);
		SIM_REQUIRE(pkt[7] == conf->ttl, "hop limit %u", pkt[7]);
		return;
	}
	SIM_REQUIRE(pkt[0] >> 4 == 4, "not an IPv4 header");
	SIM_REQUIRE(get16(pkt + 2) == out->len,
		    "IPv4 length %u in a packet of %u", get16(pkt + 2),
		    out->len);
	SIM_REQUIRE(pkt[8] == conf->ttl, "TTL %u", pkt[8]);
	SIM_REQUIRE(packet_sum(pkt, head_len(pkt), 0) == 0xffff,
		    "IPv4 header checksum is wrong");
}

static void check_tcp(const struct stack_conf *conf,
		      const struct stack_pkt *out, const uint8_t *pkt)
{
	uint32_t off = head_len(pkt), tcp_len = out->len - off, heads;
	const uint8_t *tcp = pkt + off;

	SIM_REQUIRE(tcp_len >= 20 && tcp[12] >> 4 >= 5 &&
			    (tcp[12] >> 4) * 4u <= tcp_len,
		    "impossible TCP header");
	if (out->csum_partial) {
		SIM_REQUIRE(conf->csum_offload, "checksum left to nobody");
		SIM_REQUIRE(out->csum_start == off && out->csum_offset == 16,
			    "checksum expected at %u + %u", out->csum_start,
			    out->csum_offset);
		SIM_REQUIRE(get16(tcp + 16) == pseudo_sum(pkt, tcp_len),
			    "partial checksum is wrong");
	} else {
		SIM_REQUIRE(packet_sum(tcp, tcp_len,
				       pseudo_sum(pkt, tcp_len)) == 0xffff,
			    "TCP checksum is wrong");
	}
	heads = off + (tcp[12] >> 4) * 4u;
	if (!out->gso_size) {
		SIM_REQUIRE(out->len <= conf->mtu, "%u bytes on an MTU of %u",
			    out->len, conf->mtu);
		return;
	}
	SIM_REQUIRE(conf->gso_max, "super-segment without offload");
	SIM_REQUIRE(out->len - heads <= conf->gso_max,
		    "super-segment of %u, %u of them headers", out->len, heads);
	SIM_REQUIRE(out->len - heads > out->gso_size,
		    "super-segment of one segment");
	SIM_REQUIRE(heads + out->gso_size <= conf->mtu,
		    "segments of %u on an MTU of %u", heads + out->gso_size,
		    conf->mtu);
	SIM_REQUIRE(!(tcp[13] & (TH_SYN | TH_RST)), "super-segment with %02x",
		    tcp[13]);
}

void packet_take(const struct host *h, const struct stack_pkt *out,
		 uint8_t *buf)
{
	const struct stack_conf *conf = &h->sim->opts->conf[h->side];
	uint32_t len = 0;

	SIM_REQUIRE(out->iov_len > 0 && out->iov_len <= STACK_IOV_MAX,
		    "%u parts", out->iov_len);
	for (unsigned int i = 0; i < out->iov_len; i++) {
		SIM_REQUIRE(len + out->iov[i].iov_len <= STACK_SEGMENT_MAX,
			    "packet beyond 64 KiB");
		memcpy(buf + len, out->iov[i].iov_base, out->iov[i].iov_len);
		len += (uint32_t)out->iov[i].iov_len;
	}
	SIM_REQUIRE(len == out->len, "%u bytes said to be %u", len, out->len);
	check_ip(conf, out, buf);
	if (buf[out->ipv6 ? 6 : 9] != PROTO_TCP)
		return;
	check_tcp(conf, out, buf);
	if (out->csum_partial)
		complete_csum(buf, len);
}

void packet_mark(uint8_t *pkt)
{
	if (pkt[0] >> 4 == 6) {
		if (pkt[1] & 0x30)
			pkt[1] |= 0x30;
	} else if (pkt[1] & 3) {
		pkt[1] |= 3;
		put16(pkt + 10, 0);
		put16(pkt + 10, 0xffffu ^ packet_sum(pkt, head_len(pkt), 0));
	}
}

void packet_split(const uint8_t *pkt, uint32_t len, uint16_t gso_size,
		  void (*emit)(struct link *l, const uint8_t *pkt, uint32_t len,
			       uint16_t gso_size),
		  struct link *l)
{
	uint32_t ip = head_len(pkt), heads = ip + (pkt[ip + 12] >> 4) * 4u;
	static uint8_t buf[SIM_PACKET_MAX];
	uint32_t done = 0, total = len - heads, n;

	for (unsigned int i = 0; done < total; done += n, i++) {
		n = total - done < gso_size ? total - done : gso_size;
		memcpy(buf, pkt, heads);
		memcpy(buf + heads, pkt + heads + done, n);
		if (pkt[0] >> 4 == 4) {
			put16(buf + 2, heads + n);
			put16(buf + 4, get16(pkt + 4) + i);
			put16(buf + 10, 0);
			put16(buf + 10, 0xffffu ^ packet_sum(buf, ip, 0));
		} else {
			put16(buf + 4, heads + n - 40);
		}
		put32(buf + ip + 4, get32(pkt + ip + 4) + done);
		if (done)
			buf[ip + 13] &= (uint8_t)~TH_CWR;
		if (done + n < total)
			buf[ip + 13] &= (uint8_t) ~(TH_FIN | TH_PSH);
		complete_csum(buf, heads + n);
		emit(l, buf, heads + n, 0);
	}
}
