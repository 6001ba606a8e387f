/*
 * spin.c - When to look for packets instead of sleeping
 *
 * To be woken takes longer than an answer does: a core that sleeps needs 50 us
 * and more. Where the next request comes within that time, a loop that goes on
 * looking sees it at once (interface.busy_poll). Where none comes, it burns a
 * core for nothing.
 *
 * So the pauses decide. A sleep that a packet ends within SHORT_US could have been
 * saved; when so many in a row were short, each pause is spent looking, SPIN_US
 * at most. One in which nothing came ends that, and twice as many short ones are
 * needed for the next try, until looking has paid for as long: a peer on the same
 * core, who cannot speak while we look, is soon left alone. What looking in vain
 * costs is bounded by that, SPIN_US for every RHYTHM_MIN packets.
 */
#include "spin.h"

#define SPIN_US	   200 /* looks no longer, one pause */
#define SHORT_US   300 /* a pause, and the time it takes to wake up */
#define RHYTHM_MIN 8
#define RHYTHM_MAX 4096

void spin_init(struct spin *s, bool on)
{
	*s = (struct spin){.on = on, .need = RHYTHM_MIN};
}

void spin_rest(struct spin *s, int64_t now_us)
{
	s->quiet_us = now_us;
}

int64_t spin_until(const struct spin *s, int64_t now_us)
{
	return s->on && s->rhythm >= s->need ? s->quiet_us + SPIN_US : now_us;
}

/* Others read these while this thread looks. */
static void count(uint64_t *n)
{
	__atomic_store_n(n, *n + 1, __ATOMIC_RELAXED);
}

void spin_found(struct spin *s)
{
	count(&s->paid);
	if (s->rhythm < RHYTHM_MAX)
		s->rhythm++;
	else
		s->need = RHYTHM_MIN;
}

void spin_gave_up(struct spin *s)
{
	count(&s->missed);
	/* Paid for as long as it had to wait? Then it was no bad idea. */
	if (s->rhythm >= 2 * s->need)
		s->need = RHYTHM_MIN;
	else if (s->need < RHYTHM_MAX)
		s->need *= 2;
	s->rhythm = 0;
}

void spin_woken(struct spin *s, int64_t now_us)
{
	if (now_us - s->quiet_us > SHORT_US)
		s->rhythm = 0;
	else if (s->rhythm < s->need)
		s->rhythm++;
}

void spin_counts(const struct spin *s, uint64_t *paid, uint64_t *missed)
{
	*paid += __atomic_load_n(&s->paid, __ATOMIC_RELAXED);
	*missed += __atomic_load_n(&s->missed, __ATOMIC_RELAXED);
}
