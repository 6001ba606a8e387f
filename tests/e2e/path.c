/*
 * path.c - One direction of a bad network, as a rule for packets
 *
 * A packet may be lost, by itself or in a burst; what is left waits for the
 * transmitter, unless the queue in front of it is full, and arrives after the
 * delay. Now and then one takes longer and those behind it overtake it.
 *
 * Bursts are Gilbert's: a good state that loses nothing more and a bad one that
 * loses everything, with a chance to change for each packet (E. N. Gilbert,
 * "Capacity of a burst-noise channel", 1960). A burst is 1 / end packets long
 * on average. Where it may last so long at most, it ends with that as well: who
 * sends little, because all of it is lost, has not to outlast ten time-outs.
 *
 * Chance is drawn three times for each packet whatever the settings are. So the
 * Nth packet of one seed meets the same fate whoever sent it and whenever (but
 * for a burst that ended with its time), and one setting does not shift what
 * another one hits. Where flows have dice of their own that is so for the Nth
 * packet of a flow, whatever the others do; the transmitter is the same for all.
 * Marks have a generator of their own, since only some packets may be marked.
 */
#include "path.h"

#define MILLION	  1000000
#define NS_PER_US 1000
#define NS_PER_S  1000000000ull

/* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift
 * generators, scrambled" (2014). */
static bool happens(uint64_t *state, uint64_t ppm)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (*state * 0x2545f4914f6cdd1du >> 32) % MILLION < ppm;
}

void path_init(struct path *p, const struct path_opts *opts, uint64_t seed,
	       unsigned int which)
{
	*p = (struct path){
		.opts = opts,
		.mark = (seed * 2 + which + 1) * 0xd1342543de82ef95u,
	};
	path_dice_init(&p->dice, seed, which, 0);
}

void path_dice_init(struct path_dice *d, uint64_t seed, unsigned int which,
		    unsigned int flow)
{
	*d = (struct path_dice){
		.chance = (seed * 2 + which + 1) * 0x9e3779b97f4a7c15u ^
			  flow * 0xbf58476d1ce4e5b9u,
	};
}

/* When its last bit has left, or PATH_LOST if there is no place to wait. */
static int64_t transmit(struct path *p, size_t len, int64_t at_ns)
{
	const struct path_opts *o = p->opts;
	uint64_t waiting;

	if (!o->rate)
		return at_ns;
	if (p->free_ns < at_ns)
		p->free_ns = at_ns;
	waiting = (uint64_t)(p->free_ns - at_ns) * (o->rate / 8) / NS_PER_S;
	if (o->queue && waiting + len > o->queue)
		return PATH_LOST;
	p->free_ns += (int64_t)(len * 8 * NS_PER_S / o->rate);
	return p->free_ns;
}

bool path_mark(struct path *p)
{
	bool marked = happens(&p->mark, p->opts->mark_ppm);

	p->marked += marked;
	return marked;
}

int64_t path_take(struct path *p, size_t len, int64_t at_ns, bool doomed)
{
	return path_take_by(p, &p->dice, len, at_ns, doomed);
}

int64_t path_take_by(struct path *p, struct path_dice *d, size_t len,
		     int64_t at_ns, bool doomed)
{
	const struct path_opts *o = p->opts;
	bool lost = happens(&d->chance, o->loss_ppm);
	bool late = happens(&d->chance, o->late_ppm);
	bool turn;

	if (o->burst_most_us && d->burst &&
	    at_ns - d->burst_ns >= (int64_t)o->burst_most_us * NS_PER_US)
		d->burst = false;
	turn = happens(&d->chance, d->burst ? o->burst_end_ppm : o->burst_ppm);

	p->seen++;
	d->burst ^= turn;
	if (d->burst && turn)
		d->burst_ns = at_ns;
	if (lost || d->burst || doomed) {
		p->lost++;
		return PATH_LOST;
	}
	at_ns = transmit(p, len, at_ns);
	if (at_ns == PATH_LOST) {
		p->full++;
		return PATH_LOST;
	}
	if (late) {
		p->late++;
		at_ns += (int64_t)o->late_us * NS_PER_US;
	}
	return at_ns + (int64_t)o->delay_us * NS_PER_US;
}
