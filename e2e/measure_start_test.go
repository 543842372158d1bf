package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"
)

// start measures what comes before the first request, and what a daemon holds
// that waits.
func (f *findings) start(t *testing.T) {
	info, err := os.Stat(program(t, "credsync"))
	if err != nil {
		t.Fatal(err)
	}
	times := size(20, 200)
	var version []float64
	for range times {
		version = append(version, milliseconds(spend(t, exec.CommandContext(t.Context(), program(t, "credsync"), "version"), nil).took))
	}
	w := loneWorld(t, 1)
	w.withVault()
	first := w.firstRequests(times)
	w.job["schedule"] = "0 0 1 1 *"
	idle := w.idle()
	w.more["http"] = settings{"listen": "127.0.0.1:0"}
	served := w.idle()
	f.Start = []figure{
		{fmt.Sprintf("`credsync version`, min / median / max of %d", times), "15 ms", spreadOf(version).format("%.1f") + " ms"},
		{fmt.Sprintf("first request of `sync` after its start, of %d", times), "60 ms", spreadOf(first).format("%.1f") + " ms"},
		{"stripped static binary", "30 MB", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6)},
		{"daemon that waits, resident", "30 MiB", mebibytes(idle)},
		{"the same with the status page on", "30 MiB", mebibytes(served)},
	}
}

// firstRequests returns after how many milliseconds sync asks for the first time.
func (w *world) firstRequests(times int) (after []float64) {
	w.Helper()
	arrived := make(chan time.Time, 1)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		select {
		case arrived <- time.Now():
		default:
		}
		rw.WriteHeader(http.StatusForbidden)
	}))
	defer s.Close()
	url := w.source["token_url"]
	defer func() { w.source["token_url"] = url }()
	w.source["token_url"] = s.URL
	for range times {
		ctx, cancel := context.WithCancel(w.Context())
		cmd := w.command(ctx, "sync")
		begin := time.Now()
		if err := cmd.Start(); err != nil {
			w.Fatal(err)
		}
		after = append(after, milliseconds((<-arrived).Sub(begin)))
		cancel()
		_ = cmd.Wait() // it was killed
		select {
		case <-arrived: // what it asked after the first
		default:
		}
	}
	return after
}

// idle returns what a daemon holds that waits for its schedule.
func (w *world) idle() int64 {
	w.Helper()
	p := start(w.T, w.command(w.Context(), "run"))
	p.says(`(waiting)`)
	held := p.resident(2 * time.Second)
	p.stop()
	return held
}

// resident returns the most that p holds within d.
func (p *process) resident(d time.Duration) (most int64) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		most = max(most, held(p.cmd.Process.Pid, "VmRSS"))
	}
	return most
}
