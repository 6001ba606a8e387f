/*
 * capture_bytes.c - The bytes of a packet as another host would see them
 *
 * With offload, packets pass between the kernel and us with the sum of the
 * pseudo-header where the TCP checksum belongs, and the device of the next hop
 * would finish it. There is none here, so it is done in the copy, lest every
 * packet looks damaged. Of a packet that is cut short nobody can tell; there
 * the field stays as it is and the packet is marked.
 *
 * A super-segment stays one packet: so it was handled, and its lengths agree.
 */
#include "capture.h"

#include <string.h>

#include "core/be.h"
#include "core/wire.h"

#define CSUM_AT 16 /* offset in a TCP header (RFC 9293, 3.1) */

static uint32_t flatten(const struct stack_packet *p, uint32_t keep,
			uint8_t *buf)
{
	uint32_t done = 0, n;

	for (unsigned int i = 0; i < p->iov_len && done < keep; i++) {
		n = keep - done;
		if (n > p->iov[i].iov_len)
			n = (uint32_t)p->iov[i].iov_len;
		memcpy(buf + done, p->iov[i].iov_base, n);
		done += n;
	}
	return done;
}

uint32_t capture_bytes(const struct stack_packet *p, uint32_t keep,
		       uint8_t *buf, bool *csum_missing)
{
	uint32_t kept = flatten(p, keep, buf), len, pseudo;
	struct ip_pkt ip;
	uint8_t *tcp;

	*csum_missing = false;
	if (!(p->flags & PACKET_CSUM_PARTIAL) && !p->csum_ok)
		return kept;
	/* A packet that is cut short has the whole one's lengths. */
	if (wire_ip_parse(buf, p->len, &ip) != DROP_NONE ||
	    ip.proto != IP_PROTO_TCP || ip.fragment)
		return kept;
	len = (uint32_t)ip.body_len;
	tcp = buf + (ip.body - buf);
	if (kept < (uint32_t)(tcp - buf) + CSUM_AT + 2)
		return kept;
	pseudo = csum_pseudo(&ip.src, &ip.dst, IP_PROTO_TCP, len);
	if ((be_get16(tcp + CSUM_AT) ^ csum_fold(pseudo)) != 0xffff)
		return kept; /* finished already */
	*csum_missing = kept < (uint32_t)(tcp - buf) + len;
	if (*csum_missing)
		return kept;
	be_put16(tcp + CSUM_AT, 0);
	be_put16(tcp + CSUM_AT, csum_fold(csum_partial(tcp, len, pseudo)));
	return kept;
}
