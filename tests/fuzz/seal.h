/*
 * seal.h - Make the checksums of a mutated packet right
 *
 * Without it hardly any mutation would get past them.
 */
#ifndef TCPHS_FUZZ_SEAL_H
#define TCPHS_FUZZ_SEAL_H

#include <stddef.h>
#include <stdint.h>

/** packet_seal() - IPv4 header, then TCP or ICMP if that is what follows */
void packet_seal(uint8_t *pkt, size_t len);

#endif
