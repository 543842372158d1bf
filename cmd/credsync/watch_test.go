package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"
)

const watchdog = 2 * time.Minute

// watched writes a configuration of one job.
func (h *house) watched(job string) string {
	text := fmt.Sprintf("state_dir: state\naudit: {file: audit.jsonl}\nsources:\n  amazon: %s\nsinks:\n  disk: {file: {dir: out, name: \"{skill_id}\"}}\njobs:\n  a: {source: amazon, sinks: [disk], %s}\n",
		h.source(0.01), job)
	h.write("credsync.yaml", text)
	return text
}

// silence returns the longest time that the watchdog heard nothing since then.
func (h *house) silence(since time.Time) (longest time.Duration) {
	for _, s := range h.told() {
		if strings.HasPrefix(s.state, "WATCHDOG=1") && s.at.After(since) {
			longest, since = max(longest, s.at.Sub(since)), s.at
		}
	}
	return max(longest, time.Since(since))
}

// status returns the status line as it was told last.
func (h *house) status() (line string) {
	for _, s := range h.told() {
		if _, text, ok := strings.Cut(s.state, "STATUS="); ok {
			line, _, _ = strings.Cut(text, "\n")
		}
	}
	return line
}

func (h *house) wantStatus(want string) {
	h.Helper()
	if got := h.status(); got != want {
		h.Errorf("status\n%s, want\n%s", got, want)
	}
}

func (h *house) list() string {
	var ids []string
	for _, id := range h.amazon.Skills() {
		ids = append(ids, string(id))
	}
	return "skills: {ids: [" + strings.Join(ids, ", ") + "]}"
}

func TestTheWatchdogIsQuietWhileAllIsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 100) // at one in 100 seconds, a run of nearly three hours
		h.watched(`schedule: "0 6 * * *", time_zone: UTC, on_start: true, timeout: 10h, ` + h.list())
		h.start(watchdog)
		begin := time.Now()
		h.wantStatus("a: running since 2000-01-01T00:00:00Z, none before")
		time.Sleep(2 * time.Hour)
		h.wantStatus("a: running since 2000-01-01T00:00:00Z, none before")
		time.Sleep(2 * time.Hour)
		h.wantStatus("a: next run 2000-01-01T06:00:00Z, last 2000-01-01T02:45:00Z done, 100 created")
		time.Sleep(30 * time.Hour) // idle for the most
		h.wantStatus("a: next run 2000-01-03T06:00:00Z, last 2000-01-02T08:45:00Z done, 100 unchanged")
		if s := h.silence(begin); s > watchdog/2 {
			t.Errorf("the watchdog heard nothing for %s", s)
		}
		h.stop()
		if last := h.told()[len(h.told())-1].state; last != "STOPPING=1\nSTATUS=stopping" {
			t.Errorf("told at the end: %q", last)
		}
	})
}

func TestTheWatchdogIsLeftToBarkAtABlockedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 3)
		h.amazon.hold = make(chan struct{})
		h.watched(`schedule: "@daily", time_zone: UTC, on_start: true, timeout: 5m, ` + h.list())
		h.start(watchdog)
		begin := time.Now()
		time.Sleep(5*time.Minute + patience)
		if s := h.silence(begin); s > watchdog/2 {
			t.Errorf("the watchdog heard nothing for %s of a run in time", s)
		}
		blocked := time.Now()
		time.Sleep(watchdog)
		if s := h.silence(blocked); s < watchdog {
			t.Errorf("the watchdog was quiet after %s", s)
		}
		h.wantStatus("blocked: a: running since 2000-01-01T00:00:00Z, none before")
		if n := h.logs.FilterMessage("job is blocked").Len(); n != 1 {
			t.Errorf("it was said %d times", n)
		}
		close(h.amazon.hold)
		again := time.Now()
		time.Sleep(time.Hour)
		if s := h.silence(again); s > watchdog/2 || h.logs.FilterMessage("job moves again").Len() != 1 {
			t.Errorf("the watchdog heard nothing for %s after the job went on", s)
		}
		h.stop()
	})
}

func TestTheWatchdogIsLeftToBarkAtABlockedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 1)
		hold := make(chan struct{})
		h.hook = func(e zapcore.Entry) error {
			if e.Message == "waiting" {
				<-hold // as when nobody reads the log
			}
			return nil
		}
		h.watched(`schedule: "@daily", time_zone: UTC, ` + h.list())
		h.start(watchdog)
		time.Sleep(5 * time.Minute)
		if s := h.silence(time.Now().Add(-5 * time.Minute)); s < watchdog {
			t.Errorf("the watchdog was quiet after %s", s)
		}
		close(hold)
		h.stop()
	})
}

func TestTheStatusTellsOfARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 1)
		good := h.watched(`schedule: "@daily", time_zone: UTC, ` + h.list())
		h.start(watchdog)
		const calm = "a: next run 2000-01-02T00:00:00Z, none before"
		h.wantStatus(calm)
		h.hangup(strings.Replace(good, "sinks: [disk]", "sinks: [desk], job: x", 1))
		h.wantStatus("configuration refused at 2000-01-01T00:00:00Z (2 faults, see the log), the one before is at work; " + calm)
		var states []string
		for _, s := range h.told()[1:] {
			first, _, _ := strings.Cut(s.state, "\n")
			states = append(states, first)
		}
		if got := strings.Join(states[len(states)-2:], " "); got != "RELOADING=1 READY=1" {
			t.Errorf("told %q", states)
		}
		h.hangup(strings.Replace(good, "@daily", "@hourly", 1))
		h.wantStatus("a: next run 2000-01-01T01:00:00Z, none before")
		h.hangup(strings.Replace(good, "  a: {", "  b: {", 1))
		h.wantStatus("b: next run 2000-01-02T00:00:00Z, none before")
		h.stop()
	})
}
