#!/bin/sh
# After a removal, and at dpkg's purge: what credsync made for itself goes, but
# what somebody may still need stays, and is named.
set -e

if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
[ "$1" = purge ] || exit 0

# Learned paces, last slots, a refresh token that Amazon replaced.
rm -rf /var/lib/credsync /var/lib/private/credsync
rmdir /var/log/private/credsync /etc/credsync 2>/dev/null || true
if [ -d /var/log/private/credsync ] || [ -d /var/log/credsync ]; then
	echo "credsync: the audit trail stays in /var/log/credsync; it is yours to delete"
else
	rm -f /var/log/credsync # where it pointed to is gone
fi
if [ -d /etc/credsync ]; then
	echo "credsync: your own files stay in /etc/credsync, secrets among them"
fi
