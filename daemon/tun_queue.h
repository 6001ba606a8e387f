/*
 * tun_queue.h - What the kernel's queue in front of the device lost
 */
#ifndef TCPHS_TUN_QUEUE_H
#define TCPHS_TUN_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * tun_queue_lost() - Packets for us that the kernel threw away
 * @name: Of the interface
 * @lost: Set to their number since the interface was made
 *
 * Return: false if the kernel does not say
 */
bool tun_queue_lost(const char *name, uint64_t *lost);

/** tun_queue_parse() - The same from text in the form of /proc/net/dev */
bool tun_queue_parse(FILE *f, const char *name, uint64_t *lost);

#endif
