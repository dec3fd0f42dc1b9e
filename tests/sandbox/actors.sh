# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# shellcheck shell=bash
#
# Who plays in the demo: nginx on each backend, what the balancer is told, and
# clients that make new connections or keep the ones they have.

nginx_start() {
	local name=backend-$1

	mkdir -p "$DIR/$name"
	cat >"$DIR/$name/nginx.conf" <<-END
		daemon off;
		master_process off;
		pid $DIR/$name/pid;
		events {}
		http {
			access_log off;
			keepalive_requests 100000000;
			server {
				listen 80;
				listen [::]:80;
				return 200 "$name\n";
			}
		}
	END
	start "$name" "$name" nginx -p "$DIR/$name" -e stderr \
		-c "$DIR/$name/nginx.conf"
	wait_for 5 on client-1 curl -so /dev/null "10.91.0.$((10 + $1))"
}

# IPv4 by NAT, which asks nothing of backends; IPv6 by a tunnel, in which the
# client's address arrives and answers go straight back.
define() {
	{
		echo "services:"
		service web4 "$VIP4" tcp nat "$@"
		service web6 "$VIP6" tcp ipip "$@"
	} | config
}

apply() {
	define "$@"
	in_force
}

clients_start() {
	local family vip

	for family in 4 6; do
		vip=VIP$family
		start new-$family client-1 "$B/tests/sandbox/load" --mode short \
			--target "${!vip}" --concurrency 4 --pause-ms 5 \
			--every-ms 100 80
		start kept-$family client-1 "$B/tests/sandbox/load" \
			--mode keepalive --target "${!vip}" --concurrency 12 \
			--pause-ms 20 --every-ms 100 80
	done
	wait_for 5 test -s "$DIR/new-4.log" -a -s "$DIR/new-6.log" \
		-a -s "$DIR/kept-4.log" -a -s "$DIR/kept-6.log"
}
