/*
 * test_tcp_urgent.c - Urgent data: where it ends, and who is told
 *
 * RFC 9293, 3.8.5 and RFC 6093. Urgent data is text like any other; what is
 * judged here is the mark that travels with it and ahead of it.
 */
#include "rig.h"

#define URG_ACK (TH_ACK | TH_URG)

/* Room for one segment of the peer's in the window, and nobody reads. */
static void established_small(void)
{
	rig.conf.rcvbuf = rig.conf.rcvbuf_max = 4096;
	rig_established();
	rig_read_stop();
}

static void full_window(void)
{
	established_small();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 4096));
	rig_wait(MS(41));
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0)));
}

static uint32_t left(void)
{
	return tcp_urgent_left(rig.st, rig_only()->c);
}

/* RFC 9293, 3.8.5 (MUST-30, MUST-32, MUST-33, MUST-62): the service is told,
 * knows how much is left, and reads all of it in its place. */
static void rcv_urgent_with_text(void)
{
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 10,
		   .up = 7));
	rig_check(rig_only()->urgents == 1);
	rig_check(rig_only()->urgent_left == 7);
	rig_read(3);
	rig_check(left() == 4);
	rig_read(4);
	rig_check(left() == 0);
	rig_read(3);
	rig_check(rig_only()->received == 10);
	rig_check(rig_only()->urgents == 1);
	rig_expect_after(MS(40),
			 SEG(.flags = TH_ACK, .seq = 1001, .ack = 5011));
	rig_end();
}

/* Text that goes to its service at once, from the packet. */
static void rcv_urgent_direct(void)
{
	rig_established();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 10,
		   .up = 15));
	rig_check(rig_only()->urgents == 1);
	rig_check(rig_only()->urgent_left == 15);
	rig_check(rig_only()->received == 10);
	rig_check(left() == 5);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5011, .ack = 1001, .len = 5));
	rig_check(left() == 0);
	rig_forget();
	rig_end();
}

/* The mark may come before the text, with none, and the record of it outlives
 * silence (the idle connection has no memory of its own otherwise). */
static void rcv_urgent_ahead_of_text(void)
{
	rig_established();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .up = 500));
	rig_check(rig_only()->urgents == 1);
	rig_check(rig_only()->urgent_left == 500);
	rig_expect_silence_for(S(30));
	rig_check(left() == 500);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 499));
	rig_check(left() == 1);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5500, .ack = 1001, .len = 1));
	rig_check(left() == 0);
	rig_check(rig_only()->urgents == 1);
	rig_forget();
	rig_end();
}

/* A copy that brings new text as well points into what is here already; the mark
 * stays where it was. */
static void rcv_urgent_in_copy(void)
{
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 200,
		   .up = 100));
	rig_check(rig_only()->urgents == 1);
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 300,
		   .up = 100));
	rig_check(rig_only()->urgents == 1);
	rig_check(left() == 100);
	/* And one that points at its end. */
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 400,
		   .up = 300));
	rig_check(rig_only()->urgents == 2);
	rig_check(left() == 300);
	rig_forget();
	rig_end();
}

/* (MUST-32): told again when it advances, and only then. */
static void rcv_urgent_advances(void)
{
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 1,
		   .up = 10));
	rig_rx(SEG(.flags = URG_ACK, .seq = 5002, .ack = 1001, .len = 1,
		   .up = 9));
	rig_check(rig_only()->urgents == 1);
	rig_rx(SEG(.flags = URG_ACK, .seq = 5003, .ack = 1001, .len = 1,
		   .up = 9));
	rig_check(rig_only()->urgents == 2);
	rig_check(rig_only()->urgent_left == 11);
	/* It never recedes. */
	rig_rx(SEG(.flags = URG_ACK, .seq = 5004, .ack = 1001, .len = 1,
		   .up = 1));
	rig_check(rig_only()->urgents == 2);
	rig_check(left() == 11);
	/* What was read up to there once is urgent anew later on. */
	rig_rx(SEG(.flags = TH_ACK, .seq = 5005, .ack = 1001, .len = 7));
	rig_read_on();
	rig_check(left() == 0);
	rig_rx(SEG(.flags = URG_ACK, .seq = 5012, .ack = 1001, .len = 1,
		   .up = 1));
	rig_check(rig_only()->urgents == 3);
	rig_forget();
	rig_end();
}

/* (MUST-31): the mark runs ahead of the text, segment by segment. */
static void rcv_urgent_long(void)
{
	const uint32_t whole = 200000, piece = 1000;

	rig_established();
	for (uint32_t off = 0; off < whole; off += piece) {
		uint32_t far = whole - off;

		rig_rx(SEG(.flags = URG_ACK, .seq = 5001 + off, .ack = 1001,
			   .len = piece,
			   .up = (uint16_t)(far < 65535 ? far : 65535)));
		rig_forget();
		far = far < 65535 ? far : 65535;
		rig_check(left() == far - piece);
	}
	rig_check(rig_only()->received == whole);
	rig_check(rig_only()->urgents == 1 + (whole - 65535) / piece + 1);
	rig_end();
}

/* A pointer at or behind what was read marks nothing. */
static void rcv_urgent_behind(void)
{
	rig_established();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_check(rig_only()->urgents == 0);
	rig_rx(SEG(.flags = URG_ACK, .seq = 5011, .ack = 1001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5011, .ack = 1001, .len = 10,
		   .up = 10));
	rig_check(rig_only()->urgents == 0); /* without URG it means nothing */
	rig_forget();
	/* A copy of old text carries the old mark. */
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 20,
		   .up = 15));
	rig_check(rig_only()->urgents == 0);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5021));
	/* One that is half new is judged from where it began. */
	rig_rx(SEG(.flags = URG_ACK, .seq = 5011, .ack = 1001, .len = 20,
		   .up = 25));
	rig_check(rig_only()->urgents == 1);
	rig_check(rig_only()->urgent_left == 15);
	rig_forget();
	rig_end();
}

/* Text out of order: its mark counts at once. */
static void rcv_urgent_out_of_order(void)
{
	rig_established();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5011, .ack = 1001, .len = 10,
		   .up = 10));
	rig_check(rig_only()->urgents == 1);
	rig_check(rig_only()->urgent_left == 20);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, .len = 10));
	rig_check(left() == 0);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5021));
	rig_end();
}

/* RFC 9293, 3.4 (MUST-66): with and without text at a closed window. */
static void rcv_urgent_zero_window(void)
{
	full_window();
	rig_rx(SEG(.flags = URG_ACK, .seq = 9097, .ack = 1001, .up = 30));
	rig_check(rig_only()->urgents == 1);
	rig_check(rig_only()->urgent_left == 4096 + 30);
	rig_expect_silence();
	rig_rx(SEG(.flags = URG_ACK, .seq = 9097, .ack = 1001, .len = 1,
		   .up = 40));
	rig_check(rig_only()->urgents == 2);
	rig_check(left() == 4096 + 40);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 9097, WND(0)));
	rig_end();
}

/* No mark without its number: outside the window it is not believed. */
static void rcv_urgent_not_acceptable(void)
{
	rig_established();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001 + 70000, .ack = 1001, .len = 1,
		   .up = 1));
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1002, .up = 1));
	rig_check(rig_only()->urgents == 0);
	rig_forget();
	rig_end();
}

/* What was announced and did not come before the FIN never comes. */
static void rcv_urgent_beyond_fin(void)
{
	rig_established();
	rig_read_stop();
	rig_rx(SEG(.flags = URG_ACK | TH_FIN, .seq = 5001, .ack = 1001,
		   .len = 10, .up = 1000));
	rig_check(rig_only()->urgent_left == 1000);
	rig_check(left() == 10);
	rig_read(10);
	rig_check(left() == 0);
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5012));
	/* In CLOSE-WAIT the bit is ignored: RFC 9293, 3.10.7.4, sixth. */
	rig_rx(SEG(.flags = URG_ACK, .seq = 5012, .ack = 1001, .up = 10));
	rig_check(rig_only()->urgents == 1);
	rig_close();
	rig_forget();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5012, .ack = 1002));
	rig_end();
}

/* On the SYN-ACK, the SYN having a number of its own. */
static void rcv_urgent_synack(void)
{
	struct tcp_seg syn;

	rig_open();
	rig_check(rig_take(&syn));
	rig_rx(SEG(.flags = TH_SYN | URG_ACK, .seq = 5000, .ack = 1001,
		   .len = 10, .up = 6));
	rig_check(rig_only()->urgents == 1);
	rig_check(rig_only()->urgent_left == 5);
	rig_check(rig_only()->received == 10);
	rig_forget();
	rig_end();
}

/* Text that nobody reads needs no marks. */
static void rcv_urgent_dismissed(void)
{
	rig_established();
	tcp_dismiss(rig.st, rig_only()->c);
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 10,
		   .up = 10));
	rig_check(rig_only()->urgents == 0);
	rig_forget();
	rig_end();
}

/* (MUST-30, MUST-62): the octet after the urgent data, from each segment. */
static void snd_urgent(void)
{
	rig_established();
	rig_send_urgent(100);
	rig_expect(SEG(.flags = URG_ACK | TH_PSH, .seq = 1001, .ack = 5001,
		       .len = 100, .up = 100));
	rig_expect_silence();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1101));
	rig_send(100);
	rig_expect(SEG(.flags = TH_ACK | TH_PSH, .seq = 1101, .ack = 5001,
		       .len = 100));
	rig_end();
}

/* The segment that ends it is pushed, though there is more to come. */
static void snd_urgent_is_pushed(void)
{
	rig_established();
	rig_hold();
	rig_send_urgent(1000);
	rig_send(1000);
	rig_release();
	rig_expect(SEG(.flags = URG_ACK | TH_PSH, .seq = 1001, .ack = 5001,
		       .len = 1000, .up = 1000));
	rig_expect(SEG(.flags = TH_ACK | TH_PSH, .seq = 2001, .ack = 5001,
		       .len = 1000));
	rig_end();
}

/* Queued text before it is urgent as well; text behind it is not. */
static void snd_urgent_long(void)
{
	struct conn_info i;

	rig.conf.gso_max = 60000;
	rig_established();
	rig_hold();
	rig_send(1500);
	rig_release();
	rig_expect(SEG(.flags = TH_ACK, .seq = 1001, .ack = 5001, .len = 1500));
	rig_send_urgent(2500);
	/* The device would give each segment the same pointer. */
	rig_expect(SEG(.flags = URG_ACK, .seq = 2501, .ack = 5001, .len = 1000,
		       .up = 2500));
	rig_expect(SEG(.flags = URG_ACK, .seq = 3501, .ack = 5001, .len = 1000,
		       .up = 1500));
	rig_expect(SEG(.flags = URG_ACK | TH_PSH, .seq = 4501, .ack = 5001,
		       .len = 500, .up = 500));
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.urgent_out == 4000);
	rig_send(3000);
	rig_expect(SEG(.flags = TH_ACK | TH_PSH, .seq = 5001, .ack = 5001,
		       .len = 3000));
	rig_expect_silence();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 5001));
	rig_check(rig_info(RIG_PEER_PORT, &i));
	rig_check(i.urgent_out == 0);
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 8001));
	rig_end();
}

/* Nagle does not hold it back. */
static void snd_urgent_beside_small(void)
{
	rig_established();
	rig_send(10);
	rig_expect(SEG(.flags = TH_ACK | TH_PSH, .seq = 1001, .ack = 5001,
		       .len = 10));
	rig_send(10);
	rig_expect_silence();
	rig_send_urgent(10);
	rig_expect(SEG(.flags = URG_ACK | TH_PSH, .seq = 1011, .ack = 5001,
		       .len = 20, .up = 20));
	rig_end();
}

/* A segment without text tells of it if the window is closed, and the probes
 * repeat it: the text's turn comes when the window opens. */
static void snd_urgent_zero_window(void)
{
	rig_established();
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(0)));
	rig_send_urgent(300);
	rig_expect(SEG(.flags = URG_ACK, .seq = 1001, .ack = 5001, .up = 300));
	rig_expect_silence_for(MS(900));
	rig_wait(MS(200));
	rig_expect(SEG(.flags = URG_ACK, .seq = 1001, .ack = 5001, .len = 1,
		       .up = 300));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1001, WND(5000)));
	rig_expect(SEG(.flags = URG_ACK | TH_PSH, .seq = 1001, .ack = 5001,
		       .len = 300, .up = 300));
	rig_end();
}

/* Sent again it says where the end is from there. */
static void snd_urgent_retransmit(void)
{
	rig_established();
	rig_send(500);
	rig_expect(SEG(.flags = TH_ACK | TH_PSH, .seq = 1001, .ack = 5001,
		       .len = 500));
	rig_send_urgent(700);
	rig_expect(SEG(.flags = URG_ACK | TH_PSH, .seq = 1501, .ack = 5001,
		       .len = 700, .up = 700));
	rig_wait(S(1) + MS(1));
	rig_expect(SEG(.flags = URG_ACK, .seq = 1001, .ack = 5001, .len = 500,
		       .up = 1200));
	rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = 1501));
	rig_expect(SEG(.flags = URG_ACK | TH_PSH, .seq = 1501, .ack = 5001,
		       .len = 700, .up = 700));
	rig_end();
}

/* (MUST-31): beyond 16 bits it points as far as it can, but not to a byte that
 * is on its way as ordinary text. */
static void snd_urgent_far(void)
{
	struct tcp_seg s;

	rig.conf.sndbuf = 1 << 20;
	rig.conf.sack = false;
	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(1000), SCALE(7)));
	rig_send_urgent(100000);
	rig_check(rig_take(&s));
	rig_check(s.flags & TH_URG && s.seq == 1001 && s.up == 65535);
	/* Acknowledge all of it as it comes; what left last is marked. */
	for (uint32_t end = 2001; end < 101001;) {
		while (rig_take(&s)) {
			uint32_t far = 101001 - s.seq;

			rig_check(s.flags & TH_URG);
			rig_check(s.up == (far < 65535 ? far : 65535));
			end = s.seq + s.len;
		}
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = end));
	}
	rig_expect_silence();
	rig_end();
}

static void snd_urgent_far_retransmit(void)
{
	struct tcp_seg s;
	uint32_t nxt = 1001;

	rig_handshake(SEG(.flags = TH_SYN, .seq = 5000, MSS(8000), SCALE(7)));
	rig_send(300000);
	while (nxt != 301001) { /* cwnd is far beyond 65535 then */
		while (rig_take(&s))
			nxt = s.seq + s.len;
		rig_rx(SEG(.flags = TH_ACK, .seq = 5001, .ack = nxt));
	}
	rig_send(80000);
	while (rig_take(&s))
		;
	rig_check(s.seq + s.len - nxt == 80000);
	rig_send_urgent(100);
	while (rig_take(&s))
		rig_check(s.flags & TH_URG);
	/* The first one lost: 65535 from it is in the middle of the text. */
	rig_wait(S(1) + MS(1));
	rig_check(rig_take(&s));
	rig_check(s.seq == nxt && s.len > 0 && !(s.flags & TH_URG));
	rig_end();
}

/* Queued before the handshake is over, the SYN's number does not count. */
static void snd_urgent_in_syn_sent(void)
{
	struct tcp_seg syn;

	rig_open();
	rig_check(rig_take(&syn));
	rig_send_urgent(10);
	rig_expect_silence();
	rig_rx(SEG(.flags = TH_SYN | TH_ACK, .seq = 5000, .ack = 1001,
		   MSS(1000)));
	rig_expect(SEG(.flags = URG_ACK | TH_PSH, .seq = 1001, .ack = 5001,
		       .len = 10, .up = 10));
	rig_end();
}

static void events_of_urgent(void)
{
	const struct event *e;
	unsigned int n = 0;

	rig_established();
	rig_rx(SEG(.flags = URG_ACK, .seq = 5001, .ack = 1001, .len = 10,
		   .up = 20));
	while ((e = stack_event_next(rig.st)))
		if (e->type == EVENT_URGENT) {
			rig_check(e->a == 20);
			rig_check(e->seg_flags & TH_URG);
			n++;
		}
	rig_check(n == 1);
	rig_forget();
	rig_end();
}

static const struct unit_test tests[] = {
	UNIT_TEST(rcv_urgent_with_text),
	UNIT_TEST(rcv_urgent_direct),
	UNIT_TEST(rcv_urgent_ahead_of_text),
	UNIT_TEST(rcv_urgent_in_copy),
	UNIT_TEST(rcv_urgent_advances),
	UNIT_TEST(rcv_urgent_long),
	UNIT_TEST(rcv_urgent_behind),
	UNIT_TEST(rcv_urgent_out_of_order),
	UNIT_TEST(rcv_urgent_zero_window),
	UNIT_TEST(rcv_urgent_not_acceptable),
	UNIT_TEST(rcv_urgent_beyond_fin),
	UNIT_TEST(rcv_urgent_synack),
	UNIT_TEST(rcv_urgent_dismissed),
	UNIT_TEST(snd_urgent),
	UNIT_TEST(snd_urgent_is_pushed),
	UNIT_TEST(snd_urgent_long),
	UNIT_TEST(snd_urgent_beside_small),
	UNIT_TEST(snd_urgent_zero_window),
	UNIT_TEST(snd_urgent_retransmit),
	UNIT_TEST(snd_urgent_far),
	UNIT_TEST(snd_urgent_far_retransmit),
	UNIT_TEST(snd_urgent_in_syn_sent),
	UNIT_TEST(events_of_urgent),
};

int main(int argc, char **argv)
{
	return rig_main("tcp_urgent", tests, ARRAY_LEN(tests), argc, argv);
}
