/*
 * steer_bpf.c - The kernel's half of steer.c
 *
 * tun asks a program, if it has one (TUNSETSTEERINGEBPF), which queue a packet
 * goes to. Ours computes what steer_ends() computes, so that every segment comes
 * to the thread that owns its connection, the first one, too, and after a pause,
 * and however many flows there are; and no segment can overtake another on the
 * way through a second thread. It knows less than steer_packet(): what is a
 * fragment, an ICMP message, or has extension headers goes to shard 0, which
 * hands it over if need be.
 *
 * A load beyond the end of a packet ends the program with 0.
 */
#include "steer.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/wire.h"

#define PROGRAM_MAX 256
#define EXITS_MAX   8

enum { R0, R1, CTX = 6, HEAD, SUM, WORK }; /* of LD_ABS: R0, and R1 to R5 */

struct program {
	struct bpf_insn insn[PROGRAM_MAX];
	unsigned int n;
	unsigned int give_up[EXITS_MAX], ngive_up; /* jumps to the end */
};

static void emit(struct program *p, int code, int dst, int src, int off,
		 int32_t imm)
{
	ASSERT(p->n < PROGRAM_MAX);
	p->insn[p->n++] = (struct bpf_insn){
		.code = (uint8_t)code,
		.dst_reg = (uint8_t)dst & 0xf,
		.src_reg = (uint8_t)src & 0xf,
		.off = (int16_t)off,
		.imm = imm,
	};
}

static void constant(struct program *p, int dst, uint64_t value)
{
	/* NOLINTNEXTLINE(misc-redundant-expression) ; the names are for readers */
	emit(p, BPF_LD | BPF_DW | BPF_IMM, dst, 0, 0, (int32_t)value);
	emit(p, 0, 0, 0, 0, (int32_t)(value >> 32));
}

/* To R0, in host order. */
static void load(struct program *p, int size, int32_t at)
{
	emit(p, BPF_LD | BPF_ABS | size, 0, 0, 0, at);
}

static void alu(struct program *p, int op, int dst, int src)
{
	emit(p, BPF_ALU64 | BPF_X | op, dst, src, 0, 0);
}

static void alu_imm(struct program *p, int op, int dst, int32_t imm)
{
	emit(p, BPF_ALU64 | BPF_K | op, dst, 0, 0, imm);
}

static void give_up_if(struct program *p, int op, int32_t imm)
{
	ASSERT(p->ngive_up < EXITS_MAX);
	p->give_up[p->ngive_up++] = p->n;
	emit(p, BPF_JMP | BPF_K | op, R0, 0, 0, imm);
}

/* SUM += (WORK + a) * (R0 + b) */
static void add_product(struct program *p, uint64_t b)
{
	constant(p, R1, b);
	alu(p, BPF_ADD, R0, R1);
	alu(p, BPF_MUL, WORK, R0);
	alu(p, BPF_ADD, SUM, WORK);
}

/* The word of a pair that is in the packet at @at, plus @key, to WORK. */
static void first_of_pair(struct program *p, int32_t at, uint64_t key)
{
	load(p, BPF_W, at);
	alu(p, BPF_MOV, WORK, R0);
	constant(p, R1, key);
	alu(p, BPF_ADD, WORK, R1);
}

/* Of the port at HEAD + @at. */
static void add_port(struct program *p, const uint64_t *key, int32_t at)
{
	emit(p, BPF_LD | BPF_IND | BPF_H, 0, HEAD, 0, at);
	constant(p, WORK, key[5]);
	add_product(p, key[4]);
}

static void ipv4(struct program *p, const uint64_t *key)
{
	load(p, BPF_B, 9);
	give_up_if(p, BPF_JNE, IP_PROTO_TCP);
	load(p, BPF_H, 6);
	give_up_if(p, BPF_JSET, 0x3fff); /* more fragments, or an offset */
	load(p, BPF_B, 0);
	alu_imm(p, BPF_AND, R0, 0xf);
	alu_imm(p, BPF_LSH, R0, 2);
	alu(p, BPF_MOV, HEAD, R0);
	/* ::ffff:a.b.c.d: the first words are known. */
	constant(p, SUM, 2 * (key[0] * key[1]));
	for (int32_t at = 12; at <= 16; at += 4) {
		load(p, BPF_W, at);
		constant(p, WORK, 0xffff + key[2]);
		add_product(p, key[3]);
	}
}

static void ipv6(struct program *p, const uint64_t *key)
{
	load(p, BPF_B, 6);
	give_up_if(p, BPF_JNE, IP_PROTO_TCP);
	alu_imm(p, BPF_MOV, HEAD, WIRE_IP6_LEN);
	alu_imm(p, BPF_MOV, SUM, 0);
	for (int32_t at = 8; at <= 24; at += 16) {
		first_of_pair(p, at, key[0]);
		load(p, BPF_W, at + 4);
		add_product(p, key[1]);
		first_of_pair(p, at + 8, key[2]);
		load(p, BPF_W, at + 12);
		add_product(p, key[3]);
	}
}

static void finish(struct program *p, const struct steer *s)
{
	add_port(p, s->key, 0);
	add_port(p, s->key, 2);
	alu(p, BPF_MOV, R0, SUM);
	alu_imm(p, BPF_RSH, R0, 32);
	alu(p, BPF_XOR, R0, SUM);
	constant(p, R1, s->key[6]);
	alu(p, BPF_MUL, R0, R1);
	alu_imm(p, BPF_RSH, R0, 32);
	alu_imm(p, BPF_MOD, R0, (int32_t)s->shards);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static void build(struct program *p, const struct steer *s)
{
	unsigned int to_v6, to_ports;

	alu(p, BPF_MOV, CTX, R1);
	load(p, BPF_B, 0);
	alu_imm(p, BPF_RSH, R0, 4);
	to_v6 = p->n;
	emit(p, BPF_JMP | BPF_K | BPF_JEQ, R0, 0, 0, 6);
	give_up_if(p, BPF_JNE, 4);
	ipv4(p, s->key);
	to_ports = p->n;
	emit(p, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	p->insn[to_v6].off = (int16_t)(p->n - to_v6 - 1);
	ipv6(p, s->key);
	p->insn[to_ports].off = (int16_t)(p->n - to_ports - 1);
	finish(p, s);
	for (unsigned int i = 0; i < p->ngive_up; i++)
		p->insn[p->give_up[i]].off =
			(int16_t)(p->n - p->give_up[i] - 1);
	alu_imm(p, BPF_MOV, R0, 0);
	emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int steer_program(const struct steer *s)
{
	static struct program p; /* large, and made once */
	union bpf_attr attr;
	long fd;

	p.n = p.ngive_up = 0;
	build(&p, s);
	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
	attr.insns = (uint64_t)(uintptr_t)p.insn;
	attr.insn_cnt = p.n;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	explicit_bzero(&p, sizeof(p)); /* the secret is in it */
	return fd < 0 ? -errno : (int)fd;
}
