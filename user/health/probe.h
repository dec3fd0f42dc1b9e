/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One look at one server, in a process without rights: a connection, a
 * question, an answer that is to be of some kind. A type of probe (probe_tcp.c
 * ...) knows how; when, and what follows from it, are others' to say. Nothing
 * is kept from one probe to the next: each has a socket of its own.
 *
 * Whoever runs probes keeps their time: a type sets no timer. After timeout_ms
 * its cancel() is called, whatever it is doing, and what it was waiting_for()
 * is the reason; so an answer that drips in outlives nothing.
 */
#ifndef FAIRLEAD_PROBE_H
#define FAIRLEAD_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/types.h>

#include "base/loop.h"
#include "model/check.h"

#define PROBE_WHY_MAX 96
#define PROBE_BYTES_MAX (64 * 1024)	/* of an answer, that are read */

/* What an agent or a file may say beside up and down. */
enum probe_advice { PROBE_ADVICE_NONE, PROBE_ADVICE_DRAIN,
		    PROBE_ADVICE_WEIGHT };

struct probe_result {
	__u8 outcome;		/* enum probe_outcome */
	__u8 advice;		/* enum probe_advice */
	__u8 warns;		/* passed, but why is a warning: a certificate
				 * that expires */
	__u16 weight;		/* percent of the defined one, with _WEIGHT */
	__u64 took_ns;		/* filled in by who runs it */
	/* One line of printable ASCII: "refused", "http 503", "answer is not
	 * the expected one"; of what passed, "" or what is worth saying. Bytes
	 * of the server's come through probe_why(). */
	char why[PROBE_WHY_MAX];
};

/* It is over, and p is free already. Never called from within start(); not
 * after cancel(). May start others. */
typedef void probe_done_fn(void *arg, const struct probe_result *r);

/* What a type makes of its own for a probe that runs begins with this. */
struct probe {
	const struct probe_type *type;
	const struct probe_spec *spec;	/* outlives it */
	probe_done_fn *done;
	void *arg;
};

struct probe_type {
	const char *name;	/* "tcp", as definitions spell it */
	/*
	 * Begin. s outlives the probe. -errno: it could not even begin;
	 * nothing was made, done() is not called, and whether that is the
	 * server's doing is probe_outcome_of()'s to say.
	 */
	int (*start)(struct loop *l, const struct probe_spec *s,
		     probe_done_fn *done, void *arg, struct probe **ret);
	/* Stop and free it, with no word. */
	void (*cancel)(struct probe *p);
	/* "no connection", "no answer": what it would have failed for if time
	 * were up now. */
	const char *(*waiting_for)(const struct probe *p);
};

/* By enum probe_kind; NULL: there is no such type in this program. A new type
 * is an object of its file and a row here (probe_types.c). */
extern const struct probe_type *const probe_types[NR_PROBE_KINDS];

/* What probes have in common (probe_common.c). */

/* For a type whose probe is over: free it, by its cancel(), and say so. */
void probe_finish(struct probe *p, const struct probe_result *r);

/*
 * A non-blocking socket towards s, bound to source, interface and mark as it
 * says; type: SOCK_STREAM, SOCK_DGRAM ... A stream's close() sends a RST, so
 * that no port of ours is kept in TIME_WAIT. The caller's, or -errno.
 */
int probe_socket(const struct probe_spec *s, int type, int protocol);

/* connect() to s: 0, also where it is under way. EADDRNOTAVAIL for a port
 * that is in use is tried again. -errno. */
int probe_connect(const struct probe_spec *s, int fd);

/* Whose doing an errno (positive or negative) is: of the server, or of this
 * host: EMFILE, EADDRNOTAVAIL, ENETDOWN, ENETUNREACH ... */
enum probe_outcome probe_outcome_of(int err);

/* Outcome and why of an errno: "refused", "no route from here" ... */
void probe_fail_errno(struct probe_result *r, int err);
/*
 * The same of what a socket was told later: that there is no way on, or that it
 * is forbidden, a router may have said (RFC 1812, 5.2.7.1; RFC 4443, 3.1), which
 * is no fault of this host unless it has no way itself.
 */
void probe_fail_later(struct probe_result *r, const struct probe_spec *s,
		      int err);
/* A failure of the server's, in words. */
void probe_fail(struct probe_result *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Puts bytes that a stranger sent where %s has room: printable, short. Static
 * room, good until the next call. */
const char *probe_why(const void *data, size_t len);

#endif
