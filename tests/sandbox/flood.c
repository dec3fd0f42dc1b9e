// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Forged first packets of TCP connections, from random addresses and ports, by
 * a packet socket.
 *
 *   flood INTERFACE MAC ADDRESS PORT SECONDS RATE [ack]
 *
 * MAC is where the way to ADDRESS begins. RATE is in packets a second, and what
 * cannot be sent in time is left out. With ack, a forged acknowledgement
 * follows each. Prints how many were sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64
#define HEADER_MAX (ETH_HLEN + 40 + 20)
#define SYN 0x02
#define ACK 0x10

static struct {
	bool v6;
	uint8_t mac[6];
	uint8_t to[16];
	uint16_t port;
} target;

static uint64_t random_state = 88172645463325252ull;

static uint64_t any(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

static void put16(uint8_t *p, uint16_t x)
{
	p[0] = x >> 8;
	p[1] = x;
}

static void put32(uint8_t *p, uint32_t x)
{
	put16(p, x >> 16);
	put16(p + 2, x);
}

static uint32_t sum(uint32_t before, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i += 2)
		before += p[i] << 8 | p[i + 1];
	return before;
}

static uint16_t folded(uint32_t x)
{
	while (x >> 16)
		x = (x & 0xffff) + (x >> 16);
	return ~x;
}

/* Addresses, in ip; returns where TCP begins. */
static uint8_t *put_ip(uint8_t *ip, uint64_t from)
{
	if (target.v6) {
		put32(ip, 0x60000000);
		put16(ip + 4, 20);
		ip[6] = IPPROTO_TCP;
		ip[7] = 64;
		put32(ip + 8, 0x20010db8);
		put32(ip + 12, 0x00f10000);
		put32(ip + 16, from >> 32);
		put32(ip + 20, from);
		memcpy(ip + 24, target.to, 16);
		return ip + 40;
	}
	put16(ip, 0x4500);
	put16(ip + 2, 40);
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	put32(ip + 12, 0xc6120000 | (from & 0x1ffff));	/* 198.18.0.0/15 */
	memcpy(ip + 16, target.to, 4);
	put16(ip + 10, folded(sum(0, ip, 20)));
	return ip + 20;
}

static size_t put_packet(uint8_t *frame, uint64_t from, uint8_t flags)
{
	uint8_t *ip = frame + ETH_HLEN, *tcp;

	memset(frame, 0, HEADER_MAX);
	memcpy(frame, target.mac, 6);
	frame[6] = 2;
	put16(frame + 12, target.v6 ? ETH_P_IPV6 : ETH_P_IP);
	tcp = put_ip(ip, from);
	put16(tcp, 1024 + (from >> 20) % 64000);
	put16(tcp + 2, target.port);
	put32(tcp + 4, from >> 16);
	if (flags & ACK)
		put32(tcp + 8, any());
	tcp[12] = 5 << 4;
	tcp[13] = flags;
	put16(tcp + 14, 0xffff);
	put16(tcp + 16, folded(sum(sum(IPPROTO_TCP + 20,
				       target.v6 ? ip + 8 : ip + 12,
				       target.v6 ? 32 : 8), tcp, 20)));
	return tcp + 20 - frame;
}

static unsigned int send_batch(int fd, bool acks)
{
	static uint8_t frames[BATCH][HEADER_MAX];
	struct mmsghdr messages[BATCH] = {};
	struct iovec parts[BATCH];
	uint64_t from = 0;
	int sent;

	for (int i = 0; i < BATCH; i++) {
		bool ack = acks && i & 1;

		from = ack ? from : any();
		parts[i].iov_base = frames[i];
		parts[i].iov_len = put_packet(frames[i], from,
					      ack ? ACK : SYN);
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(fd, messages, BATCH, 0);
	return sent < 0 ? 0 : sent;
}

static uint64_t flood(int fd, unsigned int seconds, unsigned int rate,
		      bool acks)
{
	uint64_t start = now_us(), now = start, sent = 0, due = 0;
	const uint64_t end = start + seconds * 1000000ull;
	const struct timespec step = { .tv_nsec = 500000 };

	while (now < end) {
		/* a machine that is too slow for the rate is so to the end */
		while (now < end && due < (now - start) * rate / 1000000) {
			sent += send_batch(fd, acks);
			due += BATCH;
			now = now_us();
		}
		nanosleep(&step, NULL);
		now = now_us();
	}
	return sent;
}

static int socket_open(const char *interface)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET,
		.sll_ifindex = if_nametoindex(interface),
	};
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		perror(interface);
		exit(1);
	}
	return fd;
}

static bool target_parse(char **argv)
{
	uint8_t *m = target.mac;

	target.v6 = strchr(argv[1], ':');
	target.port = atoi(argv[2]);
	return sscanf(argv[0], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", m, m + 1,
		      m + 2, m + 3, m + 4, m + 5) == 6 &&
	       inet_pton(target.v6 ? AF_INET6 : AF_INET, argv[1],
			 target.to) == 1;
}

int main(int argc, char **argv)
{
	if (argc < 7 || !target_parse(argv + 2)) {
		fputs("usage: flood INTERFACE MAC ADDRESS PORT SECONDS RATE "
		      "[ack]\n", stderr);
		return 2;
	}
	printf("%llu\n", (unsigned long long)
	       flood(socket_open(argv[1]), atoi(argv[5]), atoi(argv[6]),
		     argc > 7));
	return 0;
}
