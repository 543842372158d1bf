//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/rivo/uniseg"
	"golang.org/x/term"

	"github.com/credsync/credsync/internal/emulator"
)

// A session is credsync on a terminal, with a person at it.
type session struct {
	t     *testing.T
	dir   string
	cmd   *exec.Cmd
	tty   *os.File
	mu    sync.Mutex
	shown bytes.Buffer
	grown chan struct{} // has a token when shown has grown
	ended chan error
}

// onTerminal starts credsync with args on a terminal of 70 columns, in dir.
func onTerminal(t *testing.T, dir string, env []string, args ...string) *session {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "credsync", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "CREDSYNC_CONFIG="+filepath.Join(dir, "credsync.yaml"), "TERM=xterm", "LANG=C.UTF-8", "LC_ALL=", "NO_COLOR=", "DISPLAY=", "WAYLAND_DISPLAY=", "BROWSER=")
	cmd.Env = append(cmd.Env, env...)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 70})
	if err != nil {
		t.Fatal(err)
	}
	s := &session{t: t, dir: dir, cmd: cmd, tty: tty, grown: make(chan struct{}, 1), ended: make(chan error, 1)}
	go s.read()
	t.Cleanup(func() { _ = tty.Close() })
	return s
}

func (s *session) read() {
	b := make([]byte, 4096)
	for {
		n, err := s.tty.Read(b)
		s.mu.Lock()
		s.shown.Write(b[:n])
		s.mu.Unlock()
		select {
		case s.grown <- struct{}{}:
		default:
		}
		if err != nil { // EIO: the other end is closed
			s.ended <- s.cmd.Wait()
			return
		}
	}
}

// screen is all that was shown so far.
func (s *session) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.ReplaceAll(s.shown.String(), "\r\n", "\n")
}

// sees waits until the screen holds what pattern matches, and returns its first
// group.
func (s *session) sees(pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for {
		if m := re.FindStringSubmatch(s.screen()); m != nil {
			return m[len(m)-1]
		}
		select {
		case <-s.grown:
		case <-ctx.Done():
			s.t.Fatalf("never seen: %s\n%s", pattern, s.screen())
		}
	}
}

func (s *session) types(text string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// answers waits for a question and answers it.
func (s *session) answers(question, answer string) {
	s.t.Helper()
	s.sees(question)
	s.types(answer + "\n")
}

// ends waits for the end and returns the exit code.
func (s *session) ends() int {
	s.t.Helper()
	select {
	case err := <-s.ended:
		if s.cmd.ProcessState == nil {
			s.t.Fatal(err)
		}
	case <-time.After(time.Minute):
		s.t.Fatalf("never ends:\n%s", s.screen())
	}
	return s.cmd.ProcessState.ExitCode()
}

// emulated serves an Amazon and writes its configuration to a directory.
func emulated(t *testing.T, o emulator.Options) (*emulator.Amazon, string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	a := emulator.New(o)
	server, err := emulator.Serve(ctx, "", a)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = server.Wait() })
	dir := t.TempDir()
	if _, err := emulator.WriteConfig(dir, server.URL, a); err != nil {
		t.Fatal(err)
	}
	return a, dir
}

func TestLoginWithoutABrowser(t *testing.T) {
	for name, paste := range map[string]func(to string) string{
		"the whole address": func(to string) string { return to },
		"the code alone":    func(to string) string { return regexp.MustCompile(`code=(\w+)`).FindStringSubmatch(to)[1] },
	} {
		t.Run(name, func(t *testing.T) {
			a, dir := emulated(t, emulator.Options{Skills: 1})
			before := a.RefreshToken()
			s := onTerminal(t, dir, nil, "login", "--source", "emulator", "--no-browser", "--force")
			page := s.sees(`(?m)^(http://127\S+/ap/oa\S+)$`)
			to, err := decide(strings.TrimSpace(page), "allow")
			if err != nil {
				t.Fatal(err)
			}
			s.answers(`does not show\): $`, emulator.DefaultReturnURL+"?code=ANOTHER&state=x")
			s.answers(`(?s)not the answer to this login.*does not show\): $`, paste(to))
			if code := s.ends(); code != 0 {
				t.Fatalf("exit code %d\n%s", code, s.screen())
			}
			written, err := os.ReadFile(filepath.Join(dir, "refresh-token"))
			if err != nil || strings.TrimSpace(string(written)) != a.RefreshToken().Reveal() || a.RefreshToken().Equal(before) {
				t.Errorf("another token was written; err = %v", err)
			}
			code := regexp.MustCompile(`code=(\w+)`).FindStringSubmatch(to)[1]
			for _, secret := range []string{code, a.RefreshToken().Reveal(), a.ClientSecret().Reveal(), "ANOTHER"} {
				if strings.Contains(s.screen(), secret) {
					t.Errorf("the screen shows a secret:\n%s", s.screen())
				}
			}
		})
	}
}

func TestCtrlCAtAHiddenQuestionLeavesTheTerminalAsItWas(t *testing.T) {
	_, dir := emulated(t, emulator.Options{Skills: 1})
	s := onTerminal(t, dir, nil, "login", "--source", "emulator", "--no-browser", "--force")
	s.sees(`does not show\): $`)
	s.types("\x03")
	if code := s.ends(); code != 1 || !strings.Contains(s.screen(), "interrupted; nothing was written") {
		t.Errorf("exit code %d\n%s", code, s.screen())
	}
	fresh, other, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	defer other.Close()
	want, err := term.GetState(int(fresh.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := term.GetState(int(s.tty.Fd())); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the terminal is left in another state, err = %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".credsync-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, err = %v", left, err)
	}
}

func TestInitAsksWhatFlagsDoNotSay(t *testing.T) {
	dir := t.TempDir()
	s := onTerminal(t, dir, nil, "init")
	s.answers(`Client ID of your security profile.*: $`, "amzn1.application-oa2-client.0123")
	s.answers(`vault, aws or file\? \[file\]: $`, "valut")
	s.answers(`(?s)did you mean "vault".*\[file\]: $`, "vault")
	s.answers(`Address of Vault.*: $`, "https://vault.example.com:8200")
	s.answers(`Mount of its KV engine \[secret\]: $`, "")
	s.answers(`Client secret of the security profile \(does not show; Enter: later\): $`, "CANARY-SECRET")
	s.answers(`A token of Vault's.*: $`, "")
	if code := s.ends(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, s.screen())
	}
	if strings.Contains(s.screen(), "CANARY") {
		t.Errorf("the screen shows the secret:\n%s", s.screen())
	}
	for file, want := range map[string]string{"credsync.yaml": "address: https://vault.example.com:8200", "skills.txt": "example", "lwa-client-secret": "CANARY-SECRET\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || !strings.Contains(string(got), want) {
			t.Errorf("%s: %v\n%s", file, err, got)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "lwa-client-secret")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "vault-token")); !os.IsNotExist(err) {
		t.Error("a token that was not given was written")
	}
}

func TestInitInterruptedWritesNothing(t *testing.T) {
	dir := t.TempDir()
	s := onTerminal(t, dir, nil, "init")
	s.answers(`Client ID of your security profile.*: $`, "x")
	s.sees(`\[file\]: $`)
	s.types("\x03")
	if code := s.ends(); code == 0 || !strings.Contains(s.screen(), "nothing was written") {
		t.Errorf("exit code %d\n%s", code, s.screen())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// escapes are what moves or paints on a terminal.
var escapes = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

func TestATableFitsTheTerminalAndReadsLikeADiff(t *testing.T) {
	a, dir := emulated(t, emulator.Options{Skills: 14})
	s := onTerminal(t, dir, nil, "sync")
	if code := s.ends(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, s.screen())
	}
	a.RotateNext(1)
	id := string(a.Skills()[3])
	if err := os.WriteFile(filepath.Join(dir, "secrets", id+".json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	s = onTerminal(t, dir, nil, "plan")
	if code := s.ends(); code != 5 {
		t.Fatalf("exit code %d\n%s", code, s.screen())
	}
	_, table, _ := strings.Cut(s.screen(), "\nSKILL")
	if table == "" {
		_, table, _ = strings.Cut(s.screen(), "  SKILL")
	}
	for _, want := range []string{`(?m)^\x1b\[33m~ \x1b\[0m\S+ +disk +\x1b\[33mupdated`, `(?m)^\x1b\[35m! \x1b\[0m\S+ +disk +\x1b\[35mrepaired`, `\+ create  ~ update  ! repair  x refuse`} {
		if !regexp.MustCompile(want).MatchString(table) {
			t.Errorf("no %s in\n%q", want, table)
		}
	}
	for line := range strings.Lines(table) {
		if w := uniseg.StringWidth(strings.TrimRight(escapes.ReplaceAllString(line, ""), "\n")); w > 70 && !strings.Contains(line, "\tINFO\t") { // a log line stays whole
			t.Errorf("%d columns: %q", w, line)
		}
	}
	for name, env := range map[string]string{"NO_COLOR": "NO_COLOR=1", "a dumb terminal": "TERM=dumb"} {
		s := onTerminal(t, dir, []string{env}, "check")
		if code := s.ends(); code != 0 || strings.Contains(s.screen(), "\x1b") {
			t.Errorf("%s: exit code %d, %q", name, code, s.screen())
		}
	}
}

func TestCheckHasSignsWhereTheLocaleHasThem(t *testing.T) {
	_, dir := emulated(t, emulator.Options{Skills: 1})
	s := onTerminal(t, dir, nil, "check", "--online")
	if code := s.ends(); code != 0 || !strings.Contains(s.screen(), "\x1b[32m✓   \x1b[0m  source emulator") {
		t.Errorf("exit code %d\n%q", code, s.screen())
	}
	s = onTerminal(t, dir, []string{"LC_ALL=C", "NO_COLOR=1"}, "check", "--online")
	if code := s.ends(); code != 0 || regexp.MustCompile(`[^\x00-\x7f]`).MatchString(s.screen()) {
		t.Errorf("exit code %d\n%q", code, s.screen())
	}
}

func TestProgressTellsRateAndTimeLeft(t *testing.T) {
	_, dir := emulated(t, emulator.Options{Skills: 16, Rate: 10, Burst: 1})
	s := onTerminal(t, dir, nil, "sync")
	s.sees(`\d+/16, \d+ result/\w+\) \[\d+s:\d+s\]`)
	if code := s.ends(); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.screen())
	}
	s = onTerminal(t, dir, []string{"TERM=dumb"}, "plan")
	if s.ends(); strings.Contains(s.screen(), "result/") {
		t.Errorf("a dumb terminal has a bar:\n%q", s.screen())
	}
}
