/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a process gives up that reads strangers' bytes: its user, every
 * capability, most system calls, and more memory and files than it needs.
 */
#ifndef FAIRLEAD_SANDBOX_H
#define FAIRLEAD_SANDBOX_H

/* Who it is from then on, if there is such a user; else SANDBOX_UID. */
#define SANDBOX_USER "fairlead"
#define SANDBOX_UID 65534

/*
 * Another user, no capability, no debugger: for a process and what it forks.
 * Where the process is root but may not change its user, it stays uid 0 and
 * -EPERM is returned, all else done. -errno.
 */
int sandbox_rights_drop(void);

/* What somebody does, and nothing beyond it. */
enum sandbox {
	SANDBOX_CLIENT,	/* asks servers: makes sockets, reads files */
	SANDBOX_SERVER,	/* answers at sockets that it is given */
	SANDBOX_READER,	/* reads from sockets that it is given */
	SANDBOX_PROBER,	/* asks servers, thousands at a time; reads files */
};

/* Small limits, and only the system calls that it takes. Others fail; those
 * that only an attacker makes end the process. -errno. */
int sandbox_enter(enum sandbox what);

#endif
