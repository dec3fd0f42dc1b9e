/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who reaches whom between network namespaces: one process has a server of each
 * protocol in each of them, and connects from each to each. A socket stays in
 * the namespace that it was made in, so none needs a process of its own.
 */
#ifndef FAIRLEAD_TEST_REACH_H
#define FAIRLEAD_TEST_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/types.h>

enum reach_kind { REACH_TCP, REACH_UDP, REACH_SCTP, REACH_PING,
		  NR_REACH_KINDS };

struct reach_host {
	const char *name;
	int netns;		/* of setns() */
	struct addr addr[2];	/* IPv4, IPv6 */
};

/* A connection, datagrams of one flow, or echoes with one id. */
struct reach_probe {
	const struct reach_host *from, *to;
	enum reach_kind kind;
	bool v6;
	__u16 port;		/* host order */
	bool expected;		/* an answer is, to what was asked last */
	bool is_vague;		/* an answer that is not expected may come */
	/* What there is now. */
	bool is_open;
	bool is_answered;	/* what was asked last */
	int error;		/* that its socket had; 0: none */
	__u32 asked, heard;	/* numbers of questions and answers */
	int fd;
	bool is_connected;
	__u16 id;		/* of echoes */
	void *watch;
};

/* Servers at these ports. Ends the program where that cannot be. */
void reach_open(const struct reach_host *hosts, size_t count,
		const __u16 *ports, size_t nr_ports);

bool reach_has(enum reach_kind kind);	/* this kernel, of sockets */

/* One more question, by a connection that is there or begins. */
void reach_ask(struct reach_probe *p);

/*
 * Until each that is expected to has an answer, and then until quiet_ms have
 * gone by in which nobody else had one. False: somebody has none within
 * timeout_ms, or has one and should not.
 */
bool reach_wait(struct reach_probe **probes, size_t count, int timeout_ms,
		int quiet_ms);

void reach_end(struct reach_probe *p);

/* Also the servers' ends of all that were ended. */
void reach_forget(void);

/* "tcp/80", "ping"; static. */
const char *reach_what(const struct reach_probe *p);

#endif
