package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A station is a machine on which credsync is installed by the guide, and the
// world that it works in.
type station struct {
	*world
	*debian
	*testing.T
	gate   *gate
	config string // as it was written last
}

// TestTheGuideToSystemdHolds does what docs/systemd.md says, command by command,
// on a machine that has booted, and sees whether all that it promises comes true.
func TestTheGuideToSystemdHolds(t *testing.T) {
	s := newStation(t, 6)
	checks := map[string]func(commands string){
		"Install": s.install, "How it is doing": s.looks, "A changed configuration": s.changes, "Rotating the audit file": s.rotates,
		"The watchdog": s.barks, "Stopping": s.stops, "Secrets that are encrypted on the disk": s.encrypts,
		"A timer instead of the daemon": s.times, "What the sandbox allows": s.analyzes,
	}
	for _, section := range sections(t, "../docs/systemd.md") {
		check := checks[section.title]
		if check == nil {
			t.Fatalf("nothing tests the section %q", section.title)
		}
		begin := time.Now()
		check(section.commands)
		t.Logf("%s: %s", section.title, time.Since(begin).Round(time.Millisecond))
		delete(checks, section.title)
	}
	if len(checks) > 0 {
		t.Errorf("the guide has no sections %v", slices.Sorted(maps.Keys(checks)))
	}
}

// A section is a part of a guide, with the commands that it has to type.
type section struct{ title, commands string }

func sections(t *testing.T, path string) (all []section) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Split(string(b), "\n## ")[1:] {
		title, body, _ := strings.Cut(text, "\n")
		s := section{title: title}
		for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(body, -1) {
			s.commands += m[1]
		}
		all = append(all, s)
	}
	return all
}

// newStation boots a machine with the archive and what its operator brings.
func newStation(t *testing.T, skills int) *station {
	t.Helper()
	w := newWorld(t, skills)
	v := w.withVault()
	s := &station{world: w, T: t, gate: w.gateVault(v)}
	w.source["client_secret"], w.source["refresh_token"] = settings{"credential": "lwa-client-secret"}, settings{"credential": "refresh-token"}
	w.vaultSink()["auth"] = settings{"token": settings{"credential": "vault-token"}}
	w.sinks["disk"] = settings{"file": settings{"dir": "/var/lib/credsync/secrets", "name": "{skill_id}.json"}}
	w.job["schedule"], w.job["time_zone"], w.job["on_start"], w.job["max_changes"] = "0 0 1 1 *", "UTC", true, "100%"
	delete(w.more, "state_dir") // systemd's
	w.more["audit"] = []settings{file("/var/log/credsync/audit.jsonl"), {"stream": "stdout"}}
	s.config = s.configured()

	archive := t.TempDir()
	for name, content := range map[string]string{
		"credsync": readFile(t, program(t, "credsync")), "credsync.yaml": s.config, "skills.txt": w.read("skills.txt"),
		"lwa-client-secret": w.amazon.client.ClientSecret, "refresh-token": w.amazon.client.RefreshToken, "vault-token": w.read("vault-token"),
	} {
		if err := os.WriteFile(filepath.Join(archive, name), []byte(content), 0o755); err != nil { // the guide sets the modes
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(archive, "systemd"), os.DirFS("../systemd")); err != nil {
		t.Fatal(err)
	}
	s.debian = bootDebian(t, archive)
	return s
}

// configured returns the text of the configuration.
func (s *station) configured() string {
	s.Helper()
	return readFile(s.T, s.configure())
}

// reconfigure puts the configuration of now in place.
func (s *station) reconfigure(text string) { s.debian.write("/etc/credsync/credsync.yaml", text) }

// sh runs a script in the machine; the world's runs here.
func (s *station) sh(script string) run { s.Helper(); return s.debian.sh(script) }

// status waits for the status line to match.
func (s *station) status(pattern string) {
	s.Helper()
	re, last := regexp.MustCompile(pattern), ""
	deadline := time.Now().Add(time.Minute)
	until(s.T, 2*time.Minute, "the status line is "+pattern, func() bool {
		if last = s.property("credsync", "StatusText"); time.Now().After(deadline) {
			s.Fatalf("the status line is %q, want %s", last, pattern)
		}
		return re.MatchString(last)
	})
}

func (s *station) install(commands string) {
	// One more credential than in the guide, for every service that wants it.
	for _, unit := range []string{"credsync", "credsync-sync", "credsync-blocked"} {
		s.debian.write("/etc/systemd/system/"+unit+".service.d/vault.conf", "[Service]\nLoadCredential=vault-token:/etc/credsync/vault-token")
	}
	s.must("install -D -m 600 vault-token /etc/credsync/vault-token")
	commands = strings.Replace(commands, "  credsync check", "  -p LoadCredential=vault-token:/etc/credsync/vault-token \\\n  credsync check", 1)
	s.must(commands)
	if got := s.property("credsync", "ActiveState"); got != "active" {
		s.Errorf("the service is %s after its start", got)
	}
	s.status(`^job: next run \S+, last \S+ done, 12 created$`)
	s.holds()
	user := s.property("credsync", "UID")
	for path, mode := range map[string]string{
		"/var/lib/credsync/last-slots.json": "600", "/var/lib/credsync/audit-head.json": "600", "/var/log/credsync/audit.jsonl": "600",
		"/var/lib/credsync/secrets": "700", "/var/lib/private/credsync": "700",
	} {
		if got := s.must("stat -c '%u %a' " + path); got != user+" "+mode || user == "0" {
			s.Errorf("%s is of %s, want %s %s", path, got, user, mode)
		}
	}
	s.block()
}

// block starts a second credsync whose run hangs: nobody ever writes to the pipe
// that is its skill list, and no timeout ends the opening of a file.
func (s *station) block() {
	s.job["skills"], s.job["timeout"] = file("/etc/credsync/never-written"), "1s"
	s.more["audit"] = settings{"stream": "stdout"}
	s.debian.write("/etc/credsync/blocked.yaml", s.configured())
	s.must(`mkfifo -m 644 /etc/credsync/never-written
sed 's|credsync run|credsync -c /etc/credsync/blocked.yaml run|; s|Directory=credsync|Directory=credsync-blocked|; s|WatchdogSec=.*|WatchdogSec=10s|' \
  /etc/systemd/system/credsync.service > /etc/systemd/system/credsync-blocked.service
systemctl daemon-reload
systemctl start credsync-blocked`)
}

func (s *station) looks(commands string) {
	for line := range strings.Lines(commands) {
		out := s.must(line)
		switch {
		case strings.Contains(line, "systemctl status"):
			if !regexp.MustCompile(`Status: "job: next run \S+, last \S+ done, 12 created"`).MatchString(out) {
				s.Errorf("%s shows\n%s", line, out)
			}
		case strings.Contains(line, "--grep"):
			s.auditLines(out, 24)
		case strings.Contains(line, "-o json"):
			for entry := range strings.Lines(out) {
				var e struct {
					Unit    string `json:"_SYSTEMD_UNIT"`
					Message string `json:"MESSAGE"`
				}
				if err := json.Unmarshal([]byte(entry), &e); err != nil || e.Message == "" {
					s.Errorf("%s: %v", entry, err)
				}
			}
		}
	}
	for _, want := range []string{`"msg":"ready"`, `"msg":"run finished"`} {
		if !strings.Contains(s.journal("credsync"), want) {
			s.Errorf("the journal has no %s", want)
		}
	}
	s.chain("/var/log/credsync/audit.jsonl")
}

// auditLines wants so many records of writes among lines of JSON.
func (s *station) auditLines(lines string, want int) {
	s.Helper()
	n := 0
	for line := range strings.Lines(lines) {
		var r recorded
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			s.Errorf("%v: %s", err, line)
		}
		if strings.HasPrefix(r.Event, "write.") {
			n++
		}
	}
	if n != want {
		s.Errorf("%d records of writes in the journal, want %d:\n%s", n, want, tail(lines))
	}
}

// chain wants the files to be one whole chain.
func (s *station) chain(files string) {
	s.Helper()
	s.must("cat " + files + " > /tmp/trail && credsync audit verify /tmp/trail")
}

func (s *station) changes(commands string) {
	s.reconfigure(strings.NewReplacer(`"0 0 1 1 *"`, `"0 0 1 13 *"`, `"source":"amazon"`, `"source":"amazom"`).Replace(s.config))
	s.must(commands)
	s.status(`^configuration refused at \S+ \(2 faults, see the log\), the one before is at work; job: next run \S+-01-01T00:00:00Z, last \S+ done, 12 created$`)
	journal := s.journal("credsync")
	for _, want := range []string{`/etc/credsync/credsync.yaml:\d+: jobs.job.schedule: `, `/etc/credsync/credsync.yaml:\d+: jobs.job.source: `} {
		if !regexp.MustCompile(want).MatchString(journal) {
			s.Errorf("the journal has no %s:\n%s", want, tail(journal))
		}
	}
	s.config = strings.Replace(s.config, "0 0 1 1 *", "0 0 29 2 *", 1)
	s.reconfigure(s.config)
	s.must(commands)
	s.status(`^job: next run \S+-02-29T00:00:00Z, last \S+ done, 12 created$`)
	if got := s.property("credsync", "ActiveState") + " " + s.property("credsync", "NRestarts"); got != "active 0" {
		s.Errorf("after the reloads the service is %s", got)
	}
	trail := s.must("grep config.reload /var/log/credsync/audit.jsonl")
	if !regexp.MustCompile(`(?s)"outcome":"failed","reason":"invalid".*"outcome":"applied"`).MatchString(trail) {
		s.Errorf("the trail has\n%s", trail)
	}
}

func (s *station) rotates(commands string) {
	s.must(commands)
	until(s.T, time.Minute, "a new audit file", func() bool { return s.sh("test -s /var/log/credsync/audit.jsonl").code == 0 })
	s.chain("/var/log/credsync/audit.jsonl.1 /var/log/credsync/audit.jsonl")
}

func (s *station) barks(string) {
	s.debian.write("/run/systemd/system/credsync.service.d/quick.conf", "[Service]\nWatchdogSec=6s\nRestartSec=1s")
	s.must("systemctl daemon-reload && systemctl restart credsync")
	s.status(`done, 12 unchanged$`)
	begin := time.Now()
	s.must("systemctl kill --signal=STOP credsync")
	until(s.T, time.Minute, "a stopped process is replaced", func() bool { return s.property("credsync", "NRestarts") != "0" })
	s.status(`done, 12 unchanged$`)
	s.Logf("a stopped process was replaced after %s", time.Since(begin).Round(time.Millisecond))
	s.must("rm /run/systemd/system/credsync.service.d/quick.conf && systemctl daemon-reload && systemctl restart credsync")

	until(s.T, 2*time.Minute, "a blocked job is restarted", func() bool { return s.property("credsync-blocked", "NRestarts") != "0" })
	for _, want := range []string{`"msg":"job is blocked","job":"job"`, "Watchdog timeout", "source.ReadList", "Scheduled restart job"} {
		until(s.T, time.Minute, "the journal of the blocked one has "+want, func() bool { return strings.Contains(s.journal("credsync-blocked"), want) })
	}
	s.must("systemctl kill --signal=KILL credsync-blocked || true; systemctl stop credsync-blocked")
}

func (s *station) stops(commands string) {
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.gate.set(func(name string, through func()) bool {
		if name == "POST data" || name == "PUT data" {
			once.Do(func() { close(held) })
			<-release
		}
		through()
		return true
	})
	s.amazon.rotate(len(s.amazon.skills()))
	s.must("systemctl restart credsync")
	select {
	case <-held:
	case <-time.After(time.Minute):
		s.Fatal("no write came to Vault")
	}
	time.AfterFunc(2*time.Second, func() { close(release) })
	stop, again, _ := strings.Cut(commands, "\n")
	r := s.sh(stop)
	if r.code != 0 || r.took > 12*time.Second || r.took < 2*time.Second || s.property("credsync", "Result") != "success" {
		s.Errorf("%s: exit code %d after %s, %s", stop, r.code, r.took, s.property("credsync", "Result"))
	}
	trail := s.must("cat /var/log/credsync/audit.jsonl")
	if intents, outcomes := strings.Count(trail, "write.intent"), strings.Count(trail, "write.outcome"); intents != outcomes || intents == 0 {
		s.Errorf("%d writes were announced and %d were closed", intents, outcomes)
	}
	s.gate.set(nil)
	s.must(again)
	until(s.T, time.Minute, "the next start does the rest", s.held)
	s.chain("/var/log/credsync/audit.jsonl.1 /var/log/credsync/audit.jsonl")
}

func (s *station) encrypts(commands string) {
	s.must(commands)
	s.status(`, last \S+ done, 12 unchanged$`) // or that run would find what is rotated
	s.amazon.rotate(1)
	s.must("systemctl restart credsync") // a run that has to log in
	s.status(`^job: next run \S+, last \S+ done, 2 updated, 10 unchanged$`)
	s.holds()
	if left := s.must("grep -rlF -e " + s.amazon.client.RefreshToken + " -e " + s.amazon.client.ClientSecret + " /etc/credsync /var/lib/credsync /var/log || true"); left != "" {
		s.Errorf("a secret is in %s", left)
	}
}

func (s *station) times(commands string) {
	s.amazon.rotate(2)
	out := s.must(commands)
	if !strings.Contains(out, "credsync-sync.service") {
		s.Errorf("the timer is not listed:\n%s", out)
	}
	s.holds()
	if journal := s.journal("credsync-sync"); !strings.Contains(journal, "4 updated, 8 unchanged") {
		s.Errorf("the journal has no report:\n%s", tail(journal))
	}
	s.amazon.rotate(1)
	s.debian.write("/run/systemd/system/credsync-sync.timer.d/soon.conf", "[Timer]\nOnActiveSec=1s\nAccuracySec=1ms\nRandomizedDelaySec=0")
	s.must("systemctl daemon-reload && systemctl restart credsync-sync.timer")
	until(s.T, time.Minute, "the timer starts a run", s.held)
	until(s.T, time.Minute, "the run ends", func() bool { return s.property("credsync-sync", "ActiveState") == "inactive" })
	if got := s.property("credsync-sync", "Result"); got != "success" {
		s.Errorf("the run of the timer: %s", got)
	}
}

func (s *station) analyzes(commands string) {
	if out := s.must(commands); !regexp.MustCompile(`Overall exposure level for credsync.service: 1\.[0-3] OK`).MatchString(out) {
		s.Errorf("got\n%s", tail(out))
	}
}
