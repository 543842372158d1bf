package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestADebianPackageComesAndGoes installs, uses, upgrades, removes and purges the
// package on a machine that has booted (decision 27).
func TestADebianPackageComesAndGoes(t *testing.T) {
	deb := artifact(t, "credsync_*_"+runtime.GOARCH+".deb")
	w := newWorld(t, 3)
	m := bootDebian(t, filepath.Dir(deb))

	// Installed: it waits for somebody to configure it.
	install, remove, purge := debianCommands(t)
	if said := m.must(install); !strings.Contains(said, "does not run yet") {
		t.Errorf("an installation does not say what comes next:\n%s", said)
	}
	for _, unit := range []string{"credsync.service", "credsync-sync.timer"} {
		if state := m.property(unit, "ActiveState") + " " + m.property(unit, "UnitFileState"); state != "inactive disabled" {
			t.Errorf("%s after the installation: %s", unit, state)
		}
	}
	m.must("credsync version")
	if got := m.must("stat -c '%a %U' /etc/credsync/credsync.yaml"); got != "644 root" {
		t.Errorf("the configuration is %s", got)
	}
	if bad := m.must("dpkg --verify credsync"); bad != "" {
		t.Errorf("not as packaged:\n%s", bad)
	}

	// Configured: it runs.
	w.source["client_secret"], w.source["refresh_token"] = settings{"credential": "lwa-client-secret"}, settings{"credential": "refresh-token"}
	w.sinks["disk"] = settings{"file": settings{"dir": "/var/lib/credsync/secrets", "name": "{skill_id}.json"}}
	w.job["on_start"], w.job["schedule"] = true, "0 0 1 1 *"
	delete(w.more, "state_dir")
	w.more["audit"] = file("/var/log/credsync/audit.jsonl")
	config := readFile(t, w.configure())
	m.write("/etc/credsync/credsync.yaml", config)
	m.write("/etc/credsync/skills.txt", w.read("skills.txt"))
	m.write("/etc/credsync/lwa-client-secret", w.amazon.client.ClientSecret)
	m.write("/etc/credsync/refresh-token", w.amazon.client.RefreshToken)
	m.must("chmod 600 /etc/credsync/lwa-client-secret /etc/credsync/refresh-token; systemctl enable --now credsync")
	written := func() bool { return m.sh("ls /var/lib/credsync/secrets/*.json | wc -l").stdout == "3\n" }
	until(t, time.Minute, "the service writes what there is", written)

	// Upgraded: the new one runs, with our configuration.
	before := m.property("credsync", "InvocationID")
	m.must(`mkdir /tmp/next && dpkg-deb --raw-extract ` + filepath.Base(deb) + ` /tmp/next/tree
		sed -i 's/^Version: .*/Version: 99/' /tmp/next/tree/DEBIAN/control
		echo '# new' >> /tmp/next/tree/etc/credsync/credsync.yaml
		dpkg-deb --build /tmp/next/tree /tmp/next/credsync.deb`)
	m.must("dpkg -i --force-confold /tmp/next/credsync.deb")
	if after := m.property("credsync", "InvocationID"); after == before || m.property("credsync", "ActiveState") != "active" {
		t.Errorf("after an upgrade the service is %s, and started anew: %t", m.property("credsync", "ActiveState"), after != before)
	}
	if got := m.must("cat /etc/credsync/credsync.yaml"); got != strings.TrimSpace(config) {
		t.Errorf("an upgrade changed the configuration:\n%s", got)
	}

	// Removed: it stops; what is configured, kept and told stays.
	m.must(remove)
	if m.sh("systemctl is-active credsync").code == 0 {
		t.Error("the service outlives its package")
	}
	m.must("test -s /etc/credsync/credsync.yaml && test -d /var/lib/private/credsync && test -s /var/log/private/credsync/audit.jsonl")

	// Purged: what credsync made for itself goes; what is its operator's stays, and is named.
	said := m.must(purge)
	for _, want := range []string{"audit trail stays in /var/log/credsync", "your own files stay in /etc/credsync"} {
		if !strings.Contains(said, want) {
			t.Errorf("a purge does not say %q:\n%s", want, said)
		}
	}
	m.must("test -s /var/log/credsync/audit.jsonl && test -s /etc/credsync/refresh-token")
	m.must("! test -e /etc/credsync/credsync.yaml && ! test -e /var/lib/private/credsync && ! test -e /var/lib/credsync")

	// And without those, nothing is left.
	m.must("rm -r /etc/credsync /var/log/credsync /var/log/private/credsync /tmp/next")
	m.must(install + "\n" + purge)
	if left := m.must("find / -xdev -path /proc -prune -o -path /sys -prune -o -path " + m.dir + " -prune -o -name '*credsync*' -print"); left != "" {
		t.Errorf("left behind:\n%s", left)
	}
}

// debianCommands are those of the guide.
func debianCommands(t *testing.T) (install, remove, purge string) {
	t.Helper()
	for _, s := range sections(t, "../docs/install.md") {
		if s.title == "Debian and Ubuntu" {
			lines := strings.Split(strings.TrimSpace(s.commands), "\n")
			if len(lines) != 3 {
				t.Fatalf("other commands than expected: %q", lines)
			}
			return lines[0], lines[1], lines[2]
		}
	}
	t.Fatal("the guide has no section on Debian")
	return "", "", ""
}

// TestTheGuideToInstallingHolds does what docs/install.md says of archives, beside
// the files of a release; what it says of Debian is done above.
func TestTheGuideToInstallingHolds(t *testing.T) {
	t.Parallel()
	m := bootDebian(t, filepath.Dir(artifact(t, "SHA256SUMS")))
	m.must("mkdir /tmp/download && cp *.tar.gz *.deb *.json SHA256SUMS /tmp/download")
	said := make(map[string]string)
	for _, s := range sections(t, "../docs/install.md") {
		if s.commands != "" && s.title != "Debian and Ubuntu" {
			said[s.title] = m.must("cd /tmp/download\n" + s.commands)
		}
	}
	for title, want := range map[string]string{"Verifying what you downloaded": ".tar.gz: OK", "The archive": "2 updated, 23 unchanged"} {
		if !strings.Contains(said[title], want) {
			t.Errorf("%s: does not say %q:\n%s", title, want, said[title])
		}
	}
	m.must("test -s /usr/local/share/man/man1/credsync.1 && test -s /usr/local/share/bash-completion/completions/credsync")

	m.must("echo >> /tmp/download/$(basename *_linux_amd64.tar.gz)")
	if m.sh("cd /tmp/download\n"+"sha256sum --check --ignore-missing SHA256SUMS").code == 0 {
		t.Error("a changed file is as good as another")
	}
}

// TestAPackageIsInOrder asks Debian's own critic, and rpm.
func TestAPackageIsInOrder(t *testing.T) {
	t.Parallel()
	for _, arch := range []string{"amd64", "arm64"} {
		deb := artifact(t, "credsync_*_"+arch+".deb")
		if out := tool(t, "lintian", "--allow-root", "--fail-on", "error,warning", deb); out != "" {
			t.Errorf("lintian says:\n%s", out)
		}
	}
	for _, arch := range []string{"x86_64", "aarch64"} {
		rpm := artifact(t, "credsync-*."+arch+".rpm")
		root := t.TempDir()
		tool(t, "rpm", "--root", root, "--dbpath", "/db", "--ignorearch", "--nodeps", "--noscripts", "-i", rpm)
		for _, path := range []string{"usr/bin/credsync", "etc/credsync/credsync.yaml", "etc/logrotate.d/credsync", "usr/lib/systemd/system/credsync.service", "usr/share/man/man1/credsync.1.gz"} {
			if info, err := os.Stat(filepath.Join(root, path)); err != nil || info.Size() == 0 {
				t.Errorf("%s: %v", path, err)
			}
		}
		if got := tool(t, "rpm", "-qp", "--configfiles", rpm); got != "/etc/credsync/credsync.yaml\n/etc/logrotate.d/credsync\n" {
			t.Errorf("configuration files of the RPM:\n%s", got)
		}
		if bad := tool(t, "rpm", "--root", root, "--dbpath", "/db", "-V", "--nodeps", "--noscripts", "credsync"); bad != "" {
			t.Errorf("not as packaged:\n%s", bad)
		}
	}
}

// TestAnRPMComesAndGoes runs the scripts of the RPM as rpm does, with systemctl
// as what writes down what is asked of it: no system here has both rpm and systemd.
func TestAnRPMComesAndGoes(t *testing.T) {
	t.Parallel()
	rpm := artifact(t, "credsync-*.x86_64.rpm")
	for when, want := range map[string]string{
		"preuninstall 0": "--no-reload disable --now credsync.service credsync-sync.timer\nstop credsync-sync.service\n",
		"preuninstall 1": "", "postinstall 1": "daemon-reload\n", "postinstall 2": "daemon-reload\ntry-restart credsync.service\n",
		"postuninstall 0": "daemon-reload\n", "postuninstall 1": "daemon-reload\n",
	} {
		kind, count, _ := strings.Cut(when, " ")
		script := tool(t, "rpm", "-qp", "--queryformat", "%{"+map[string]string{"preuninstall": "PREUN", "postinstall": "POSTIN", "postuninstall": "POSTUN"}[kind]+"}", rpm)
		dir := t.TempDir()
		said := filepath.Join(dir, "said")
		fake := fmt.Sprintf("systemctl() { echo \"$*\" >> %s; }\n", said)
		script = fake + strings.ReplaceAll(script, "/run/systemd/system", dir)
		tool(t, "sh", "-c", script, "scriptlet", count)
		got, err := os.ReadFile(said)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s asks of systemd:\n%swant:\n%s", when, got, want)
		}
	}
}
