// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* See sandbox.h. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cap-ng.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "sandbox.h"

#define DATA_MAX (256ul << 20)
#define CALLS_MAX 64

/* By clients and servers alike: the C library, loops, open sockets. */
static const int allowed[] = {
	SCMP_SYS(alarm), SCMP_SYS(brk), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(close),
	SCMP_SYS(dup), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_wait),
	SCMP_SYS(eventfd2), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(fcntl), SCMP_SYS(fstat), SCMP_SYS(futex), SCMP_SYS(getegid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpeername),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getrandom),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday), SCMP_SYS(getuid), SCMP_SYS(lseek),
	SCMP_SYS(madvise), SCMP_SYS(membarrier), SCMP_SYS(mremap),
	SCMP_SYS(munmap), SCMP_SYS(nanosleep), SCMP_SYS(pipe2),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(read), SCMP_SYS(readv),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall),
	SCMP_SYS(rseq), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield), SCMP_SYS(sendmsg), SCMP_SYS(sendto),
	SCMP_SYS(set_robust_list), SCMP_SYS(setsockopt), SCMP_SYS(shutdown),
	SCMP_SYS(sigaltstack), SCMP_SYS(sysinfo), SCMP_SYS(time),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_gettime),
	SCMP_SYS(timerfd_settime), SCMP_SYS(uname), SCMP_SYS(write),
	SCMP_SYS(writev),
};

/* What one of them does besides; 0 ends it, read(2), which is among those. */
static const struct {
	rlim_t files_max;
	int calls[CALLS_MAX];
} profiles[] = {
	/* what libcurl, OpenSSL and the C library's resolver need */
	[SANDBOX_CLIENT] = { .files_max = 64, .calls = {
		SCMP_SYS(access), SCMP_SYS(bind), SCMP_SYS(connect),
		SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
		SCMP_SYS(newfstatat), SCMP_SYS(pread64), SCMP_SYS(readlink),
		SCMP_SYS(recvmmsg), SCMP_SYS(sendmmsg), SCMP_SYS(stat),
		SCMP_SYS(statx),
	} },
	/* what libmicrohttpd needs, without a thread and a file */
	[SANDBOX_SERVER] = { .files_max = 16384, .calls = {
		SCMP_SYS(accept4),
	} },
	[SANDBOX_READER] = { .files_max = 64 },
	[SANDBOX_PROBER] = { .files_max = 65536, .calls = {
		SCMP_SYS(access), SCMP_SYS(bind), SCMP_SYS(connect),
		SCMP_SYS(newfstatat), SCMP_SYS(pread64), SCMP_SYS(stat),
	} },
};

/* Nothing that is linked makes these: it is somebody else who does. */
static const int deadly[] = {
	SCMP_SYS(bpf), SCMP_SYS(chroot), SCMP_SYS(delete_module),
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(finit_module),
	SCMP_SYS(init_module), SCMP_SYS(kexec_load), SCMP_SYS(keyctl),
	SCMP_SYS(mount), SCMP_SYS(open_by_handle_at),
	SCMP_SYS(perf_event_open), SCMP_SYS(pivot_root),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(ptrace), SCMP_SYS(setns), SCMP_SYS(umount2),
	SCMP_SYS(unshare),
};

#define ALLOW(f, call, ...) \
	seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(call), __VA_ARGS__)

/* Reading of files; sockets of the internet, and the list of addresses that
 * the resolver asks for; threads, as libcurl has one for each name it
 * resolves. */
static int allow_client(scmp_filter_ctx f)
{
	const scmp_datum_t access = O_ACCMODE | O_CREAT | O_TRUNC;

	return ALLOW(f, openat, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, access,
					   O_RDONLY)) ?:
	       ALLOW(f, open, 1, SCMP_A1(SCMP_CMP_MASKED_EQ, access,
					 O_RDONLY)) ?:
	       ALLOW(f, socket, 1, SCMP_A0(SCMP_CMP_EQ, AF_INET, 0)) ?:
	       ALLOW(f, socket, 1, SCMP_A0(SCMP_CMP_EQ, AF_INET6, 0)) ?:
	       ALLOW(f, socket, 1, SCMP_A0(SCMP_CMP_EQ, AF_NETLINK, 0)) ?:
	       ALLOW(f, socketpair, 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)) ?:
	       ALLOW(f, clone, 1, SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD,
					  CLONE_THREAD));
}

/* Reading of files: what a check of one says, and the host's authorities. */
static int allow_prober(scmp_filter_ctx f)
{
	const scmp_datum_t access = O_ACCMODE | O_CREAT | O_TRUNC;

	return ALLOW(f, openat, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, access,
					   O_RDONLY)) ?:
	       ALLOW(f, open, 1, SCMP_A1(SCMP_CMP_MASKED_EQ, access,
					 O_RDONLY)) ?:
	       ALLOW(f, socketpair, 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0)) ?:
	       ALLOW(f, socket, 1, SCMP_A0(SCMP_CMP_EQ, AF_INET, 0)) ?:
	       ALLOW(f, socket, 1, SCMP_A0(SCMP_CMP_EQ, AF_INET6, 0));
}

/*
 * Sockets that are given are connected. libcurl 7.88.0 and .1 (not 7.87, nor 8)
 * connect them all the same, whatever CURLOPT_SOCKOPTFUNCTION said, and take a
 * failure for the end: it is told that this went well, and nothing happens.
 */
static int allow_reader(scmp_filter_ctx f)
{
	return seccomp_rule_add(f, SCMP_ACT_ERRNO(0), SCMP_SYS(connect), 0);
}

/* Memory that does not run, and to see the limits. */
static int allow_some(scmp_filter_ctx f)
{
	return ALLOW(f, mmap, 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) ?:
	       ALLOW(f, mprotect, 1,
		     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) ?:
	       ALLOW(f, prlimit64, 1, SCMP_A2(SCMP_CMP_EQ, 0, 0)) ?:
	       ALLOW(f, getrlimit, 0);
}

static int rules_add(scmp_filter_ctx f, enum sandbox what)
{
	const int *more = profiles[what].calls;
	int err = allow_some(f);

	if (!err && what == SANDBOX_CLIENT)
		err = allow_client(f);
	if (!err && what == SANDBOX_READER)
		err = allow_reader(f);
	if (!err && what == SANDBOX_PROBER)
		err = allow_prober(f);
	for (size_t i = 0; !err && i < sizeof(allowed) / sizeof(int); i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !err && more[i]; i++)
		err = seccomp_rule_add(f, SCMP_ACT_ALLOW, more[i], 0);
	for (size_t i = 0; !err && i < sizeof(deadly) / sizeof(int); i++)
		err = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, deadly[i], 0);
	/* its flags are in memory, where no filter can look: then by clone() */
	return err ?: seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS),
				       SCMP_SYS(clone3), 0);
}

static int calls_limit(enum sandbox what)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int err;

	if (!f)
		return -ENOMEM;
	err = rules_add(f, what) ?: seccomp_load(f);
	seccomp_release(f);
	return err;
}

/* No more than there may be already. */
static int limit_files(rlim_t most)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l))
		return -errno;
	l.rlim_max = l.rlim_max < most ? l.rlim_max : most;
	l.rlim_cur = l.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &l) ? -errno : 0;
}

static int limit(int what, rlim_t most)
{
	struct rlimit l = { most, most };

	return setrlimit(what, &l) ? -errno : 0;
}

int sandbox_enter(enum sandbox what)
{
	int err = limit(RLIMIT_DATA, DATA_MAX) ?:
		  limit_files(profiles[what].files_max) ?:
		  limit(RLIMIT_FSIZE, 0) ?: limit(RLIMIT_CORE, 0);

	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	return err ?: calls_limit(what);
}

static int user_change(void)
{
	const struct passwd *user = getpwnam(SANDBOX_USER);
	uid_t uid = user ? user->pw_uid : SANDBOX_UID;
	gid_t gid = user ? user->pw_gid : SANDBOX_UID;

	if (geteuid())
		return 0;
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id(uid, gid, CAPNG_DROP_SUPP_GRP |
				      CAPNG_CLEAR_BOUNDING))
		return -EPERM;
	return 0;
}

int sandbox_rights_drop(void)
{
	int err = user_change();

	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return -EACCES;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	return err;
}
