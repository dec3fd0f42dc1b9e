/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A check of a backend: what is asked of it, how often, and how many answers
 * of a kind make a verdict. Definitions fill it, `serve` hands it on, the
 * process "fairlead: health" carries it out.
 */
#ifndef FAIRLEAD_CHECK_H
#define FAIRLEAD_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/types.h>

#define PROBE_INTERFACE_MAX 16		/* IFNAMSIZ */
#define PROBE_STATUS_RANGES_MAX 16
#define PROBE_ARGV_MAX 32

/* Append only: kept states name them by digest. */
enum probe_kind {
	PROBE_TCP = 1,
	PROBE_TLS,
	PROBE_HTTP,
	PROBE_HTTPS,
	PROBE_UDP,
	PROBE_DNS,
	PROBE_ICMP,
	PROBE_FILE,
	PROBE_AGENT,
	PROBE_EXEC,
	NR_PROBE_KINDS,
};

enum probe_verify { PROBE_VERIFY_OFF, PROBE_VERIFY_CHAIN, PROBE_VERIFY_FULL };

/* Bytes, and no NUL behind them that counts. data NULL: not said. */
struct probe_bytes {
	char *data;
	size_t len;
};

struct probe_range {
	__u16 first, last;	/* of HTTP's status, both are in it */
};

/*
 * What is asked of whom. All of it has been checked when a type sees it, is
 * owned by who keeps the spec, and stays as it is until the probe is over.
 * Strings: NULL where nothing was said. Which fields count is the type's to
 * say.
 */
struct probe_spec {
	__u8 kind;		/* enum probe_kind */
	struct addr addr;	/* ::ffff:a.b.c.d is IPv4 */
	__u16 port;		/* host order */
	struct addr source;	/* all zero: the kernel's choice */
	char interface[PROBE_INTERFACE_MAX]; /* "": the kernel's choice */
	__u32 mark;		/* SO_MARK; 0: none. See probe_socket() */
	__u32 timeout_ms;	/* for all of it */

	struct probe_bytes send, expect; /* tcp, udp: expect is anywhere in
					  * what is answered */
	bool no_unreachable;	/* udp: no answer is fine, if nothing says that
				 * nobody is there */
	bool proxy;		/* tcp, tls, http: a PROXY v2 LOCAL header */

	/* tls, https */
	char *sni;		/* NULL: https has host's; tls none */
	char *alpn;		/* "h2,http/1.1" */
	__u8 verify;		/* enum probe_verify */
	char *ca, *cert, *key;	/* PEM, the text itself: a process without
				 * rights opens no file */
	__u32 expires_s;	/* warn where less is left; 0: never */

	/* http, https */
	char *method;		/* NULL: GET */
	char *path;		/* NULL: "/" */
	char *host;		/* NULL: the address and port */
	char *headers;		/* "Name: value\r\n"..., as they are sent */
	struct probe_range status[PROBE_STATUS_RANGES_MAX];
	size_t nr_status;	/* 0: 200 to 299 */
	struct probe_bytes body;	/* is in the first PROBE_BYTES_MAX */

	/* dns */
	char *name;		/* NULL: "." */
	__u16 rrtype;		/* 0: SOA */
	__u8 rcode;
	bool dns_tcp;		/* else UDP */

	/* exec, file */
	char *argv[PROBE_ARGV_MAX + 1];	/* ends in a NULL */
	char *file;		/* its path */
};

enum probe_outcome {
	PROBE_PASS,
	PROBE_FAIL,		/* the server's doing */
	PROBE_NO_RESULT,	/* our own: says nothing of the server */
};

/*
 * spec has no address and no port where those are the backend's.
 */
struct model_check {
	struct probe_spec spec;
	__u32 interval_ms;	/* from the begin of a probe to the next */
	__u32 fast_ms;		/* the same, while a verdict is pending */
	__u32 rise, fall;	/* as many in a row are one */
	__u32 jitter;		/* percent of the interval, earlier */
};

/* Verdicts of a check, and of a backend. */
enum check_state { CHECK_UNKNOWN, CHECK_UP, CHECK_DOWN, NR_CHECK_STATES };

/* A service's connections to a backend that goes down. */
enum on_down {
	ON_DOWN_MOVE,		/* go to another one */
	ON_DOWN_LEAVE,		/* stay: it gets no new ones */
};

/* When no backend is up. */
enum all_down {
	ALL_DOWN_REJECT,	/* nobody is served */
	ALL_DOWN_KEEP,		/* as if all were up */
};

/* Of a service. */
struct model_health {
	struct model_check *checks;	/* all must pass; owned */
	size_t nr_checks;		/* 0: backends are not checked */
	__u32 minimum;		/* weight that must be up for the service to */
	bool minimum_is_percent;	/* work; of the weight defined */
	__u8 on_down;		/* enum on_down */
	__u8 all_down;		/* enum all_down */
};

/* The names of enum probe_kind, as definitions spell them. */
const char *check_kind_name(enum probe_kind kind);
const char *check_state_name(enum check_state state);

/* What a spec owns, and not the struct itself. */
void probe_spec_clear(struct probe_spec *s);
/* 0: *ret is zeroed, and has what is copied. -ENOMEM. */
int probe_spec_copy(struct probe_spec *ret, const struct probe_spec *s);
void model_health_clear(struct model_health *h);

/*
 * What a spec says, with its target, but not how long it takes: the same
 * digest is the same question to the same server. Never 0.
 */
__u64 probe_spec_digest(const struct probe_spec *s);

/*
 * Texts and bytes of a spec, in an order of their own: from 0 on, while it
 * returns true. They may be replaced through *ret by who owns the spec: _text
 * is NULL for bytes, and the other way round.
 */
struct probe_part {
	char **text;
	struct probe_bytes *bytes;
};
bool probe_spec_part(struct probe_spec *s, size_t i, struct probe_part *ret);

/* Worst time from a backend's end to the verdict, in milliseconds. */
__u32 check_detection_ms(const struct model_check *c);

#endif
