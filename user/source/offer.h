/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a container offers by its labels: it is a backend of a service, which
 * all containers make together that name it. Each says where clients reach it
 * and at which ports; its own are in none of them but itself. As objects of
 * Kubernetes, so that what comes of it is what comes of those: a Service, and
 * an EndpointSlice for each container and family. Pure.
 */
#ifndef FAIRLEAD_OFFER_H
#define FAIRLEAD_OFFER_H

#include "container.h"

#define OFFER_SERVICE_LABEL "fairlead.service"	/* web */
#define OFFER_ADDRESS_LABEL "fairlead.address"	/* 192.0.2.1, 2001:db8::1 */
#define OFFER_PORTS_LABEL "fairlead.ports"	/* 80:8080, 53/udp */

#define OFFER_PORTS_MAX 16
#define OFFER_MISTAKE_MAX 160

struct offer_port {
	__u16 port, target;	/* clients', the container's */
	__u8 proto;		/* IPPROTO_TCP, _UDP or _SCTP */
};

struct offer {
	char namespace[64], service[64];
	char name[CONTAINER_NAME_MAX];		/* the container's */
	struct addr at[2];	/* by addr_is4(): where clients reach it; zero:
				 * it does not say */
	struct addr own[2];	/* where it is itself; zero: nowhere */
	struct offer_port ports[OFFER_PORTS_MAX];
	size_t nr_ports;
	bool is_ready;		/* by its health check, if it has one */
	char mistake[OFFER_MISTAKE_MAX];	/* "": none */
};

/* False: it offers nothing. With a mistake its names alone are to be read. */
bool offer_read(const struct container *c, struct offer *ret);

/* Namespaces, services, names of containers. */
int offer_compare(const struct offer *a, const struct offer *b);
bool offer_is_of_same(const struct offer *a, const struct offer *b);

/*
 * Below, list is nr offers of one service, sorted, and at, by addr_is4(),
 * where clients reach it; zero: nowhere.
 */

/* Into at, where it is reached: as it was, if one of them still says so, else
 * as the first says that says anything. */
void offer_addresses(const struct offer *const *list, size_t nr,
		     struct addr at[2]);

/* NULL: no memory. */
struct kube_object *offer_service(const struct offer *const *list, size_t nr,
				  const struct addr at[2]);

/* What o is of its endpoints, of one family. With a mistake, and if it wants
 * its service at another address, it is none and says so. NULL: no memory. */
struct kube_object *offer_slice(const struct offer *o, bool is4,
				const struct addr at[2]);

#endif
