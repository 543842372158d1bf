package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/credsync/credsync/internal/config"
	"github.com/credsync/credsync/internal/emulator"
)

// inProcess reaches an Amazon without a network, which a bubble can't have.
type inProcess struct {
	*emulator.Amazon
	hold chan struct{} // while it is open, no request comes back, whatever its context says; nil = never
}

func (a *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.hold != nil {
		<-a.hold
	}
	w, in := httptest.NewRecorder(), r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	a.ServeHTTP(w, in)
	return w.Result(), r.Context().Err()
}

// A house is a daemon in a bubble, with an Amazon and a directory of its own.
type house struct {
	*testing.T
	dir     string
	amazon  *inProcess
	logs    *observer.ObservedLogs
	hook    func(zapcore.Entry) error // hears of each log line; nil = nobody
	service *service
	hangups chan os.Signal
	stop    func()

	mu    sync.Mutex
	heard []told // by the service manager
}

// A told is what the service manager was told, and when.
type told struct {
	at    time.Time
	state string
}

// newHouse returns one that nobody has started yet.
func newHouse(t *testing.T, skills int) *house {
	h := &house{T: t, dir: t.TempDir(), amazon: &inProcess{Amazon: emulator.New(emulator.Options{Skills: skills})}, hangups: make(chan os.Signal, 1)}
	h.write("client-secret", h.amazon.ClientSecret().Reveal())
	h.write("refresh-token", h.amazon.RefreshToken().Reveal())
	return h
}

func (h *house) write(name, content string) {
	h.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(content), 0o600); err != nil {
		h.Fatal(err)
	}
}

// source is the configuration of the account, which so many requests a second
// are sent to.
func (h *house) source(rate float64) string {
	return fmt.Sprintf(`{smapi: {client_id: %q, client_secret: {file: client-secret}, refresh_token: {file: refresh-token}, verify: false,
  api_url: "http://127.0.0.1", token_url: "http://127.0.0.1/auth/o2/token", requests_per_second: %g, max_requests_per_second: %g, concurrency: 2}}`,
		h.amazon.ClientID(), rate, rate)
}

// start starts the daemon on the configuration that was written. Its service
// manager wants to hear of it as often as given.
func (h *house) start(watchdog time.Duration) {
	h.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	h.logs = logs
	log := zap.New(core)
	if h.hook != nil {
		log = log.WithOptions(zap.Hooks(h.hook))
	}
	cfg, err := config.Load(filepath.Join(h.dir, "credsync.yaml"))
	if err != nil {
		h.Fatal(err)
	}
	p := newProcess(cfg, log)
	p.amazon = h.amazon
	s, err := open(cfg, p, nil)
	if err != nil {
		h.Fatal(err)
	}
	h.service = newService(s, &manager{log: log, watchdog: watchdog, send: func(state string) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.heard = append(h.heard, told{time.Now(), state})
		return nil
	}})
	first, err := s.generation(h.Context(), h.service.memory, nil)
	if err != nil {
		h.Fatal(err)
	}
	if h.service.trail, err = s.openTrail(daemonPlace(terminal{out: io.Discard, err: io.Discard})); err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.service.serve(ctx, first, h.hangups)
	}()
	h.stop = func() {
		cancel()
		<-ended
		if err := closeTrail(h.service.trail); err != nil {
			h.Error(err)
		}
		s.close()
	}
	synctest.Wait()
}

// told returns what the service manager has heard.
func (h *house) told() []told {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.heard)
}

// hangup has the daemon read its configuration anew.
func (h *house) hangup(config string) {
	h.Helper()
	h.write("credsync.yaml", config)
	h.hangups <- syscall.SIGHUP
	synctest.Wait()
}

// records returns the audit trail.
func (h *house) records() (all []map[string]any) {
	h.Helper()
	b, err := os.ReadFile(filepath.Join(h.dir, "audit.jsonl"))
	if err != nil {
		h.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			h.Fatalf("%v: %s", err, line)
		}
		all = append(all, r)
	}
	return all
}
