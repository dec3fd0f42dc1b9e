/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libmicrohttpd, which brings GnuTLS and takes 5 ms, loaded where it is needed.
 * Private to server.c and worker.c. */
#ifndef FAIRLEAD_MHD_H
#define FAIRLEAD_MHD_H

#include <microhttpd.h>

#define MHD_FUNCTIONS(X)						\
	X(add_connection)						\
	X(add_response_header)						\
	X(create_response_from_buffer)					\
	X(destroy_response)						\
	X(get_connection_info)						\
	X(get_daemon_info)						\
	X(get_timeout)							\
	X(queue_response)						\
	X(resume_connection)						\
	X(run)								\
	X(start_daemon)							\
	X(stop_daemon)							\
	X(suspend_connection)

struct mhd_functions {
#define X(name) __typeof__(MHD_##name) *name;
	MHD_FUNCTIONS(X)
#undef X
};

/* Filled by mhd_load(). */
extern struct mhd_functions microhttpd;

/* -ELIBACC: it, or a function of it, is not there. Once is enough. */
int mhd_load(void);

#endif
