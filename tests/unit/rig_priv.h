/*
 * rig_priv.h - What the parts of a rig know of each other
 */
#ifndef TCPHS_RIG_PRIV_H
#define TCPHS_RIG_PRIV_H

#include "rig.h"

/* rig.c */

/** rig_pattern_at() - The byte of either stream with number @seq */
uint8_t rig_pattern_at(tcp_seq seq);
void rig_pattern_fill(uint8_t *buf, size_t len, tcp_seq seq);
/** rig_turn() - One turn of the loop */
void rig_turn(void);
/** rig_run() - Turns until @until_us, or until something is sent if @to_first */
void rig_run(int64_t until_us, bool to_first);
/** rig_unseen() - Packets that the stack sent and the script did not look at */
unsigned int rig_unseen(void);

/* rig_service.c */
extern const struct tcp_service rig_service;

#endif
