/*
 * threads_priv.h - Between the files of the threads
 *
 *	threads.c         a thread and its turn; packets from one to another
 *	threads_control.c the control thread: what happened everywhere
 *	threads_view.c    services that show all shards
 */
#ifndef TCPHS_THREADS_PRIV_H
#define TCPHS_THREADS_PRIV_H

#include "threads.h"

/** threads_control_start() - Watch what the threads tell */
void threads_control_start(struct threads *t, struct ev_loop *ev,
			   const struct threads_hooks *hooks);

/** threads_view_start() - Let services see all shards */
void threads_view_start(struct threads *t);

/** threads_view_go() - Let those see who wait for it */
void threads_view_go(struct threads *t);

#endif
