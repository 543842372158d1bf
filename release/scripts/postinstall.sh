#!/bin/sh
# After an installation or an upgrade. dpkg says "configure OLD-VERSION", rpm how
# many versions there are now. What these scripts do and why: decision 27.
set -e

[ -d /run/systemd/system ] || exit 0
case "$1" in
configure | [0-9]*) systemctl daemon-reload ;;
*) exit 0 ;; # dpkg takes something back
esac

if [ "$1" = 1 ] || { [ "$1" = configure ] && [ -z "$2" ]; }; then
	cat <<-END
		credsync is installed and does not run yet. Next: edit /etc/credsync/credsync.yaml,
		put the secrets that it names beside it (chmod 600), and start it:
		  systemctl enable --now credsync
	END
else
	systemctl try-restart credsync.service || true # why it failed is in its log
fi
