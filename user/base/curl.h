/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libcurl, which takes 7 ms and 4 MB, loaded where it is needed: by processes
 * without rights alone. */
#ifndef FAIRLEAD_CURL_H
#define FAIRLEAD_CURL_H

#include <curl/curl.h>

#define CURL_FUNCTIONS(X)						\
	X(easy_cleanup)							\
	X(easy_getinfo)							\
	X(easy_init)							\
	X(easy_pause)							\
	X(easy_setopt)							\
	X(easy_strerror)						\
	X(global_cleanup)						\
	X(global_init)							\
	X(multi_add_handle)						\
	X(multi_assign)							\
	X(multi_cleanup)						\
	X(multi_info_read)						\
	X(multi_init)							\
	X(multi_remove_handle)						\
	X(multi_setopt)							\
	X(multi_socket_action)						\
	X(slist_append)							\
	X(slist_free_all)

struct curl_functions {
#define X(name) __typeof__(curl_##name) *name;
	CURL_FUNCTIONS(X)
#undef X
};

/* Filled by curl_load(). */
extern struct curl_functions curl;

/* -ELIBACC: it, or a function of it, is not there. Once is enough. */
int curl_load(void);

#endif
