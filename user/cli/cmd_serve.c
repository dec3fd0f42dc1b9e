// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * `serve`: the process around daemon.c: one at a time, signals, files to
 * watch, the control socket, and as few privileges as will do.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <linux/capability.h>

#include "cmd.h"
#include "daemon/control.h"
#include "daemon/daemon.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/cleanup.h"
#include "base/contents.h"
#include "base/watch.h"
#include "health/health.h"
#include "kubeproxy/leftovers.h"
#include "run_lock.h"
#include "source/api.h"
#include "source/containers.h"
#include "web/web.h"

/* How long a file that does not check out may take to be written whole, or
 * one that went away to come back. */
#define RETRY_MS 50

#define TAKEOVER_S 600		/* where kube-proxy's rules are in force */

#define ENDS_WITH_MAX (1 << 20)	/* bytes of options.ends_with */

struct serve {
	const struct options *options;
	int lock_fd;
	struct loop *loop;
	struct daemon *daemon;
	struct control *control;
	struct watch *watch, *end_watch;
	char *ends_with;	/* contents of that file */
	bool is_outdated;
	struct event *signals, *retry;
	struct spawner *spawner;	/* NULL: no server is followed */
	struct spawner *web;		/* NULL: nobody is answered */
	char health_state[RUN_PATH_MAX];
	struct spawner *health;		/* NULL: nothing is checked */
	struct access *access;		/* until the daemon takes it */
	struct api *api;		/* the definitions' */
	struct spawner *engine_spawner;	/* NULL: no containers are followed */
	struct containers *containers;	/* the definitions' */
};

/* Before Linux 5.11, maps counted as locked memory. */
static void locked_memory_raise(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };

	if (!setrlimit(RLIMIT_MEMLOCK, &limit) ||
	    getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

/* Sockets of health checks: two for each Service that has one. */
static void files_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * SYS_ADMIN is among them because the kernel wants it for finding a program
 * by its id, and so does libxdp when an uplink is added later;
 * DAC_READ_SEARCH because what could be read at the start must be readable
 * when it changes.
 */
static const int needed_capabilities[] = {
	CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN,
	CAP_DAC_READ_SEARCH,
};

static bool is_needed(int capability)
{
	size_t count = sizeof(needed_capabilities) / sizeof(int);

	for (size_t i = 0; i < count; i++)
		if (needed_capabilities[i] == capability)
			return true;
	return false;
}

static int privileges_drop(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &header, data))
		return -errno;
	for (int i = 0; i <= CAP_LAST_CAP; i++) {
		if (is_needed(i))
			continue;
		prctl(PR_CAPBSET_DROP, i);
		data[i / 32].permitted &= ~(1u << i % 32);
	}
	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_capset, &header, data))
		return -errno;
	return 0;
}

/* Tell systemd, if it wants to know; the protocol is one datagram. */
static void notify(const char *message)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, message, strlen(message), MSG_NOSIGNAL, (void *)&address,
	       offsetof(struct sockaddr_un, sun_path) + len);
	close(fd);
}

static void on_retry(void *arg)
{
	struct serve *s = arg;

	daemon_reload(s->daemon, DAEMON_FINAL);
}

static void on_files(void *arg, enum watch_change change)
{
	struct serve *s = arg;

	if (change == WATCH_GONE ||
	    daemon_reload(s->daemon, DAEMON_MAY_RETRY))
		timer_set(s->retry, RETRY_MS, 0);
}

static void on_signal(void *arg, int signal)
{
	struct serve *s = arg;

	if (signal == SIGHUP)
		daemon_reload(s->daemon, DAEMON_FINAL);
	else
		loop_stop(s->loop);
}

/* Does that file say something else than at the start? One that cannot be
 * read, as while it is replaced, does not yet. */
static void on_end_file(void *arg, enum watch_change change)
{
	struct serve *s = arg;
	char *text = NULL;
	size_t len;

	if (contents_read(s->options->ends_with, ENDS_WITH_MAX, &text, &len))
		return;
	if (strcmp(text, s->ends_with)) {
		s->is_outdated = true;
		loop_stop(s->loop);
	}
	free(text);
}

static int end_watch_open(struct serve *s)
{
	size_t len;
	int err;

	if (!s->options->ends_with)
		return 0;
	err = watch_new(s->loop, s->options->ends_with, on_end_file, s,
			&s->end_watch);
	return err ?: contents_read(s->options->ends_with, ENDS_WITH_MAX,
				    &s->ends_with, &len);
}

static int loop_open(struct serve *s)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM, 0 };
	int err;

	err = loop_new(&s->loop);
	if (!err)
		err = loop_add_signals(s->loop, signals, on_signal, s,
				       &s->signals);
	if (!err)
		err = loop_add_timer(s->loop, on_retry, s, &s->retry);
	/* Before the first reading: no change may fall in between. */
	if (!err && s->options->config)
		err = watch_new(s->loop, s->options->config, on_files, s,
				&s->watch);
	if (!err)
		err = end_watch_open(s);
	return err ? log_error(err, "cannot wait for events") : 0;
}

static int control_start(struct serve *s)
{
	char path[RUN_PATH_MAX];
	int err;

	run_path(s->options, RUN_SOCKET, path);
	err = control_open(s->loop, path, daemon_answer, s->daemon,
			   &s->control);
	return err ? log_error(err, "cannot listen at \"%s\"", path) : 0;
}

static int access_find(struct serve *s)
{
	const struct access_wanted wanted = {
		.kubeconfig = s->options->kubeconfig,
		.server = s->options->master,
		.account_dir = ACCESS_ACCOUNT_DIR,
	};
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	int err = -ENOMEM;

	if (out) {
		err = access_open(&wanted, out, &s->access);
		if (!err)
			access_warn(s->access, out);
		fclose(out);
	}
	if (text)
		log_lines(err ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, text);
	free(text);
	return err;
}

static bool is_following(const struct options *o)
{
	return o->kubernetes || o->kubeconfig || o->master;
}

/* Before anything is open that a process without rights must not have. */
static int follow_prepare(struct serve *s)
{
	int err;

	if (!is_following(s->options))
		return 0;
	err = remote_spawner_start(&s->spawner) ?: access_find(s);
	if (err)
		return err;
	err = api_new(s->access->values[ACCESS_SERVER].data, &s->api);
	return err ? log_error(err, "cannot follow a server") : 0;
}

/* "--docker" alone: where Docker usually is. */
static int containers_prepare(struct serve *s)
{
	const char *text = s->options->docker;
	const bool is_usual = text && !strcmp(text, "true");
	int err;

	if (!text)
		return 0;
	err = containers_spawner_start(&s->engine_spawner);
	if (err)
		return err;
	err = containers_new(is_usual ? CONTAINERS_SOCKET : text,
			     &s->containers);
	if (err == -EINVAL)
		return log_error(0, "--docker \"%s\" is neither unix:// and a path nor a path",
				 text), err;
	return err ? log_error(err, "cannot follow containers") : 0;
}

static int spawners_start(struct serve *s)
{
	return follow_prepare(s) ?: containers_prepare(s) ?:
	       (s->options->once ? 0 : spawner_start(&web_worker, &s->web) ?:
				       spawner_start(&health_worker,
						     &s->health));
}

static int follow_start(struct serve *s)
{
	int err = s->api ? daemon_follow(s->daemon, s->loop, s->api,
					 s->spawner, take_ptr(s->access)) : 0;

	return err || !s->containers ? err :
	       daemon_follow_containers(s->daemon, s->loop, s->containers,
					s->engine_spawner);
}

/* A node's services were kube-proxy's, if its rules are here. */
static unsigned int takeover_s(const struct options *o)
{
	struct leftovers_seen seen = {};

	if (o->takeover_s != TAKEOVER_UNSAID)
		return o->takeover_s;
	if (is_following(o) && !o->shadow)
		leftovers_look(&seen);
	return seen.in_force ? TAKEOVER_S : 0;
}

static int serve_open(struct serve *s)
{
	struct given given[NR_OPTIONS_NODE];
	struct definitions_from from = options_from(s->options,
						    s->options->config, given);
	const struct daemon_places places = {
		.pin_root = s->options->pin_root,
		.cgroup_root = s->options->cgroup_root,
		.is_shadow = s->options->shadow,
		.run_dir = s->options->run_dir,
		.health_state = run_path(s->options, RUN_HEALTH,
					 s->health_state),
	};
	int err;

	err = spawners_start(s);
	if (err)
		return err;
	s->lock_fd = run_lock_take(s->options);
	if (s->lock_fd < 0)
		return s->lock_fd;
	locked_memory_raise();
	files_raise();
	signal(SIGPIPE, SIG_IGN); /* who reads our log may go */
	err = loop_open(s);
	if (err)
		return err;
	from.others[0] = s->api ? api_source(s->api) : NULL;
	from.others[1] = s->containers ? containers_source(s->containers) :
					 NULL;
	return daemon_open(&from, &places, takeover_s(s->options), &s->daemon);
}

static int serve_run(struct serve *s)
{
	int err;

	err = daemon_start(s->daemon, s->loop);
	if (!err)
		err = follow_start(s);
	if (!err)
		err = control_start(s);
	if (err)
		return err;
	daemon_probe(s->daemon, s->loop, s->web);
	daemon_check(s->daemon, s->loop, s->health);
	err = privileges_drop();
	if (err)
		return log_error(err, "cannot drop privileges");
	notify("READY=1");
	err = loop_run(s->loop);
	notify("STOPPING=1");
	if (!err && s->is_outdated)
		return log_error(-ESTALE, "\"%s\" was changed: whoever started this is to start it again",
				 s->options->ends_with);
	return err ? log_error(err, "cannot wait for events") : 0;
}

static void serve_close(struct serve *s)
{
	control_close(s->control);
	watch_free(s->watch);
	watch_free(s->end_watch);
	free(s->ends_with);
	daemon_close(s->daemon);
	event_remove(s->retry);
	event_remove(s->signals);
	loop_free(s->loop);
	access_free(s->access);
	spawner_end(s->spawner);
	spawner_end(s->engine_spawner);
	spawner_end(s->web);
	spawner_end(s->health);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
}

static bool log_level_use(const struct options *o)
{
	enum log_level level = LOG_LEVEL_INFO;

	if (o->log_level && !log_level_parse(o->log_level, &level)) {
		log_error(0, "--log-level \"%s\" is none of error, warning, "
			  "info, debug", o->log_level);
		return false;
	}
	log_set_level(level);
	if (o->log_json)
		log_use_json();
	return true;
}

int cmd_serve(const struct options *o)
{
	__cleanup(serve_close) struct serve s = { .options = o, .lock_fd = -1 };
	int err;

	if (!log_level_use(o))
		return MISUSED;
	if (!o->config && !is_following(o)) {
		log_error(0, "serve needs --config FILE|DIR or --kubernetes");
		return MISUSED;
	}
	if (o->once && (is_following(o) || o->docker)) {
		log_error(0, "--once goes with files alone: a server is followed");
		return MISUSED;
	}
	err = serve_open(&s);
	if (!err && !o->once)
		err = serve_run(&s);
	return err ? FAILED : DONE;
}
