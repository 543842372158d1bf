package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/credsync/credsync/internal/audit"
	"github.com/credsync/credsync/internal/status"
	"github.com/credsync/credsync/internal/syncer"
)

// A face is how the daemon shows itself over HTTP. It outlives a configuration.
// A nil face shows nothing, and costs nothing.
type face struct {
	board  *status.Board
	server *http.Server
	log    *zap.Logger
}

// openFace begins to serve what http.listen asks for; nil = nothing. Until
// follow, it says that it is not ready.
func (s *setup) openFace() (*face, error) {
	if s.cfg.HTTP.Listen == "" {
		return nil, nil //nolint:nilnil // a nil face is one
	}
	listener, err := status.Listen(s.cfg.HTTP.Listen)
	if err != nil {
		return nil, usage(s.cfg.ListenFault(bindCause(err)))
	}
	version, commit := buildVersion()
	f := &face{board: status.NewBoard(status.Build{Version: version, Commit: commit, Go: runtime.Version()}), log: s.log}
	s.requests.also = f.board.Observe
	f.server = status.NewServer(f.contain(status.Handler(f.board, status.Options{Hosts: s.hosts(), Page: status.StatusPage(f.board.Report)})))
	if f.server.ErrorLog, err = zap.NewStdLogAt(s.log, zapcore.DebugLevel); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	go func() {
		if err := f.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("http: not served any more", zap.Error(err))
		}
	}()
	s.log.Info("http: serving", zap.Stringer("address", listener.Addr()))
	return f, nil
}

// bindCause is why an address can't be listened on, without the address.
func bindCause(err error) error {
	if oe, ok := errors.AsType[*net.OpError](err); ok {
		err = oe.Err
	}
	if se, ok := errors.AsType[*os.SyscallError](err); ok {
		err = se.Err
	}
	return err
}

// hosts returns the names by which others may ask for the face.
func (s *setup) hosts() []string {
	hosts := slices.Clone(s.cfg.HTTP.AllowedHosts)
	if host, _, err := net.SplitHostPort(s.cfg.HTTP.Listen); err == nil && host != "" {
		hosts = append(hosts, host)
	}
	if host, err := os.Hostname(); err == nil {
		hosts = append(hosts, host)
	}
	return hosts
}

// contain keeps what a panic holds out of the log and of the answer.
func (f *face) contain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				f.log.Error("http: panic", zap.String("type", fmt.Sprintf("%T", v)), zap.ByteString("stack", debug.Stack()))
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// close ends it at once; who asks at the end gets no answer.
func (f *face) close() {
	if f != nil {
		_ = f.server.Close() // the process ends
	}
}

// follow makes what is shown that of s, which runs loops from now on.
func (f *face) follow(s *setup, loops []jobLoop, trail *audit.Trail) {
	if f == nil {
		return
	}
	shown := status.Settings{Instance: s.cfg.Instance, Config: s.cfg.Path, Command: commandWith(s.cfg.Path), Sources: make(map[string]status.LiveSource), Trail: trail}
	for name, src := range s.sources {
		shown.Sources[name] = src
	}
	for _, l := range loops {
		c := s.cfg.Jobs[l.job.Name]
		zone, err := c.Location()
		if err != nil { // it was checked
			zone = time.Local
		}
		shown.Jobs = append(shown.Jobs, status.JobSettings{
			Name: l.job.Name, Schedule: c.Schedule, TimeZone: zone.String(), Source: c.Source, Sinks: c.Sinks, Timeout: c.Timeout,
		})
	}
	f.board.Configure(shown)
}

// commandWith is how somebody at a shell calls credsync with the configuration
// at path, wherever they are.
func commandWith(path string) string {
	if path == defaultConfig {
		return "credsync"
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return "credsync -c " + shellWord(path)
}

// shellWord writes s so that a shell takes it as one word.
func shellWord(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("/._-", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// waiting hears when the next run of a job is due.
func (f *face) waiting(job string, next time.Time) {
	if f != nil {
		f.board.Waiting(job, next)
	}
}

// A sighting is a run as the face sees it.
type sighting struct{ watch *status.Watch } // nil = nobody looks

// begin hears that a run begins. What is returned wants to hear how it goes.
func (f *face) begin(job string, opts syncer.Options) sighting {
	if f == nil {
		return sighting{}
	}
	return sighting{f.board.Begin(job, opts)}
}

func (s sighting) Start(job string, results int) {
	if s.watch != nil {
		s.watch.Start(job, results)
	}
}

func (s sighting) Result(r syncer.Result) {
	if s.watch != nil {
		s.watch.Result(r)
	}
}

// Finish hears what the run came to.
func (s sighting) Finish(sum syncer.Summary, _ map[string]int) error {
	if s.watch != nil {
		s.watch.End(sum)
	}
	return nil
}

// abandon hears that the run is over, however it ended.
func (s sighting) abandon() {
	if s.watch != nil {
		s.watch.Abandon()
	}
}
