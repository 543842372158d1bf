#!/bin/sh
# Before a removal. dpkg says "remove", rpm that none is left; both say something
# else before an upgrade, which leaves the service running until the new one is there.
set -e

case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
	systemctl --no-reload disable --now credsync.service credsync-sync.timer || true
	systemctl stop credsync-sync.service || true
fi
