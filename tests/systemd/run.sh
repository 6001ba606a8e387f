#!/bin/bash
# run.sh - The service under a real systemd
#
# A systemd is booted in a container whose root is the running one below an
# overlay, so nothing that happens there stays. tcphs is installed into it by
# `make install`, and inside.sh does the checks from within, as a unit of its
# own. Nothing of the container reaches the network: it has a private one with
# a loopback only, and a tun device of its own, open to all as it is elsewhere.
#
# Its console cannot be had (nspawn hides it without a terminal), so results
# come as a file. KILL would leave the container's first process alive: it is
# told to power off, and TERM if it does not.
set -eu

ROOT=$(realpath "$(dirname "$0")/../..")
DEADLINE=180

if [ "$(id -u)" != 0 ]; then
	echo 'systemd: needs root, for a container' >&2
	exit 1
fi
if [ -z "${INSIDE_NAMESPACE:-}" ]; then
	INSIDE_NAMESPACE=1 exec unshare --mount --propagation private \
		"$0" "$@"
fi

WORK=$(mktemp -d)
NSPAWN=

stop_container()
{
	if [ -n "$NSPAWN" ] && [ -d "/proc/$NSPAWN" ]; then
		kill -s TERM "$NSPAWN"
		wait "$NSPAWN" || true
	fi
}

# The mounts are in a namespace that ends with us; the directory is not.
clean_up()
{
	stop_container
	umount -R "$WORK/root" 2>/dev/null || true
	umount "$WORK"
	rmdir "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# nspawn leaves directories of its own behind; here they go with the namespace.
mount -t tmpfs -o mode=0755 tmpfs /run
mount -t tmpfs -o mode=0755,size=1g tmpfs "$WORK"
mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
mount -t overlay overlay -o \
	"lowerdir=/,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/root"
mknod -m 0666 "$WORK/tun" c 10 200

make -s -C "$ROOT" install DESTDIR="$WORK/root" PREFIX=/usr >"$WORK/install" ||
	{ cat "$WORK/install"; exit 1; }

# The container keeps nothing of this machine's identity and of its units but
# what the test needs.
: >"$WORK/root/etc/machine-id"
install -D "$ROOT/tests/systemd/inside.sh" \
	"$WORK/root/usr/lib/tcphs-test/inside.sh"
cat >"$WORK/root/usr/lib/systemd/system/tcphs-test.service" <<-EOF
	[Unit]
	Description=Tests of tcphs
	After=basic.target dbus.service

	[Service]
	Type=oneshot
	TimeoutStartSec=$DEADLINE
	StandardOutput=file:/usr/lib/tcphs-test/result
	StandardError=file:/usr/lib/tcphs-test/result
	ExecStart=/usr/lib/tcphs-test/inside.sh
	ExecStopPost=/bin/systemctl poweroff --no-block
EOF
cat >"$WORK/root/usr/lib/systemd/system/tcphs-test.target" <<-EOF
	[Unit]
	Description=Tests of tcphs
	Requires=basic.target tcphs-test.service
	After=basic.target
	AllowIsolate=yes
EOF

systemd-nspawn --quiet -D "$WORK/root" --machine="tcphs-test-$$" \
	--private-network --boot --register=no --keep-unit --link-journal=no \
	--resolv-conf=off --timezone=off --bind="$WORK/tun:/dev/net/tun" \
	--capability=CAP_BPF --system-call-filter=bpf -- \
	systemd.unit=tcphs-test.target </dev/null >"$WORK/console" 2>&1 &
NSPAWN=$!

end=$((SECONDS + DEADLINE))
while [ -d "/proc/$NSPAWN" ] && [ "$SECONDS" -lt "$end" ]; do
	sleep 0.2
done
stop_container

result=$WORK/upper/usr/lib/tcphs-test/result
if ! grep -q '^systemd: ' "$result" 2>/dev/null; then
	echo 'systemd: the container did not get to the end' >&2
	[ ! -e "$result" ] || cat "$result"
	tail -n 30 "$WORK/console" >&2
	exit 1
fi
cat "$result"
grep -q '^systemd: [1-9][0-9]* passed, 0 failed$' "$result"
