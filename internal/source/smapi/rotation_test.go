package smapi

import (
	"bytes"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
	"github.com/credsync/credsync/internal/state"
)

// refreshes returns the refresh tokens that LWA was shown, in order.
func (a *amazon) refreshes() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, form := range a.lwaCalls {
		all = append(all, form.Get("refresh_token"))
	}
	return all
}

func answer200(refresh string) reply {
	return ok(`{"access_token":"Atza|x","token_type":"bearer","expires_in":3600` + refresh + `}`)
}

// run fetches once at each start of the program, and then an hour later.
func run(t *testing.T, a *amazon, c Config, store TokenStore) {
	t.Helper()
	s := open(c, Options{Tokens: store}, a)
	fetchOK(t, s)
	time.Sleep(time.Hour)
	fetchOK(t, s)
}

func stateDir(t *testing.T) *state.Dir {
	t.Helper()
	d, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestRotation(t *testing.T) {
	tests := map[string]struct {
		answers []string // the refresh tokens that LWA gives
		want    []string // what it is shown
	}{
		"no token comes":             {[]string{"", "", "", ""}, []string{ourToken, ourToken, ourToken, ourToken}},
		"the same comes":             {[]string{ourToken, ourToken, ourToken, ourToken}, []string{ourToken, ourToken, ourToken, ourToken}},
		"another comes each time":    {[]string{"r1", "r2", "r3", "r4"}, []string{ourToken, "r1", "r2", "r3"}},
		"another comes once":         {[]string{"r1", "", "", ""}, []string{ourToken, "r1", "r1", "r1"}},
		"it comes back":              {[]string{"r1", ourToken, "", ""}, []string{ourToken, "r1", ourToken, ourToken}},
		"what comes can be no token": {[]string{"a b", `\u0000`, strings.Repeat("x", maxToken+1), ""}, []string{ourToken, ourToken, ourToken, ourToken}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &amazon{lwa: func(n int, _ url.Values) reply {
					if tt.answers[n-1] == "" {
						return answer200("")
					}
					return answer200(`,"refresh_token":"` + tt.answers[n-1] + `"`)
				}}
				c, dir := config(t), stateDir(t)
				run(t, a, c, FileTokens(dir, "acme"))
				run(t, a, c, FileTokens(dir, "acme")) // after a restart
				if diff := cmp.Diff(a.refreshes(), tt.want); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestWithoutAStoreARotatedTokenLivesInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := lwaAlways(answer200(`,"refresh_token":"r1"`))
		c := config(t)
		run(t, a, c, nil)
		run(t, a, c, nil)
		if diff := cmp.Diff(a.refreshes(), []string{ourToken, "r1", ourToken, "r1"}); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAnotherConfiguredTokenDiscardsTheStoredOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := lwaAlways(answer200(`,"refresh_token":"r1"`))
		c, dir := config(t), stateDir(t)
		fetchOK(t, open(c, Options{Tokens: FileTokens(dir, "acme")}, a))
		if err := os.WriteFile(c.RefreshToken.File, []byte("another"), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, a, c, FileTokens(dir, "acme"))
		if diff := cmp.Diff(a.refreshes(), []string{ourToken, "another", "r1"}); diff != "" {
			t.Error(diff)
		}
	})
}

func TestADeadStoredTokenFallsBackToTheConfigured(t *testing.T) {
	t.Run("once, and for good", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := &amazon{lwa: func(n int, form url.Values) reply {
				if n > 1 && form.Get("refresh_token") == "r1" {
					return reply{status: 400, body: `{"error":"invalid_grant"}`}
				}
				if n == 1 {
					return answer200(`,"refresh_token":"r1"`)
				}
				return answer200("")
			}}
			c, dir := config(t), stateDir(t)
			run(t, a, c, FileTokens(dir, "acme"))
			run(t, a, c, FileTokens(dir, "acme"))
			if diff := cmp.Diff(a.refreshes(), []string{ourToken, "r1", ourToken, ourToken, ourToken}); diff != "" {
				t.Error(diff)
			}
		})
	})
	t.Run("which is dead too", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := &amazon{lwa: func(n int, _ url.Values) reply {
				if n == 1 {
					return answer200(`,"refresh_token":"r1"`)
				}
				return reply{status: 400, body: `{"error":"invalid_grant"}`}
			}}
			s := a.open(t)
			fetchOK(t, s)
			time.Sleep(time.Hour)
			for range 5 {
				_, err := s.Fetch(t.Context(), skill)
				wantErr(t, err, source.ErrDenied)
			}
			if diff := cmp.Diff(a.refreshes(), []string{ourToken, "r1", ourToken}); diff != "" {
				t.Error(diff)
			}
		})
	})
	t.Run("but not because LWA is unavailable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := &amazon{lwa: func(n int, _ url.Values) reply {
				if n == 1 {
					return answer200(`,"refresh_token":"r1"`)
				}
				return reply{status: 500}
			}}
			s := a.open(t)
			fetchOK(t, s)
			time.Sleep(time.Hour)
			_, err := s.Fetch(t.Context(), skill)
			wantErr(t, err, source.ErrUnavailable)
			if diff := cmp.Diff(a.refreshes(), []string{ourToken, "r1", "r1", "r1"}); diff != "" {
				t.Error(diff)
			}
		})
	})
}

// A broken store fails in both directions until it is mended.
type brokenStore struct {
	memoryTokens
	err error
}

func (b *brokenStore) Load() (StoredToken, error) {
	if b.err != nil {
		return StoredToken{}, b.err
	}
	return b.memoryTokens.Load()
}

func (b *brokenStore) Save(s StoredToken) error {
	if b.err != nil {
		return b.err
	}
	return b.memoryTokens.Save(s)
}

func TestABrokenStoreStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := lwaAlways(answer200(`,"refresh_token":"r1"`))
		store := &brokenStore{memoryTokens{log: zap.NewNop()}, errors.New("disk full")}
		var log bytes.Buffer
		core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&log), zap.DebugLevel)
		s := open(config(t), Options{Tokens: store, Log: zap.New(core)}, a)
		fetchOK(t, s)
		time.Sleep(time.Hour)
		fetchOK(t, s)
		if !strings.Contains(log.String(), "disk full") || strings.Contains(log.String(), "r1") {
			t.Errorf("got the log %s", log.String())
		}
		store.err = nil
		time.Sleep(time.Hour)
		fetchOK(t, s)
		if got := store.kept.Token.Reveal(); got != "r1" {
			t.Errorf("got %q in the mended store, want r1", got)
		}
		if diff := cmp.Diff(a.refreshes(), []string{ourToken, "r1", "r1"}); diff != "" {
			t.Error(diff)
		}
	})
}

// What lives in memory alone is lost at the next start, which then has the token
// that Amazon replaced.
func TestARotationWithoutAStoreIsToldOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		tokens []string // that LWA gives
		want   int      // warnings
	}{
		"never replaced":        {[]string{"", ourToken, ""}, 0},
		"replaced once":         {[]string{"r1", "", ""}, 1},
		"replaced time by time": {[]string{"r1", "r2", "r3"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &amazon{lwa: func(n int, _ url.Values) reply {
					if tt.tokens[n-1] == "" {
						return answer200("")
					}
					return answer200(`,"refresh_token":"` + tt.tokens[n-1] + `"`)
				}}
				var log bytes.Buffer
				core := zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&log), zap.DebugLevel)
				s := open(config(t), Options{Log: zap.New(core)}, a)
				for range tt.tokens {
					fetchOK(t, s)
					time.Sleep(time.Hour)
				}
				if got := strings.Count(log.String(), "set state_dir"); got != tt.want || strings.Contains(log.String(), "r1") {
					t.Errorf("got %d warnings, want %d: %s", got, tt.want, log.String())
				}
			})
		})
	}
}

func TestFileTokens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	dir, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	store := FileTokens(dir, "acme")
	if got, err := store.Load(); err != nil || !got.Token.IsZero() || got.Configured != "" {
		t.Errorf("got %v, %v from an empty directory", got, err)
	}
	saved := StoredToken{credential.NewSecret(`Atzr|<"\>&`), digest(credential.NewSecret(ourToken))}
	if err := store.Save(saved); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(path, "refresh-token-acme.json")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"configured_sha256":"` + saved.Configured + `","format":1,"token":"Atzr|\u003c\"\\\u003e\u0026"}` + "\n"
	if diff := cmp.Diff(string(b), want); diff != "" {
		t.Error(diff)
	}
	if got, err := store.Load(); err != nil || !got.Token.Equal(saved.Token) || got.Configured != saved.Configured {
		t.Errorf("got %v, %v, want what was saved", got, err)
	}
	later := strings.Replace(string(b), "{", `{"since":{"a":[1]},`, 1)
	if err := os.WriteFile(file, []byte(later), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := store.Load(); err != nil || !got.Token.Equal(saved.Token) {
		t.Errorf("got %v, %v from what a later release may write", got, err)
	}
	for damaged, stays := range map[string]bool{"": false, "{": false, string(b[:40]): false, "[]": true, `{"token":7}`: true, `{"format":2}`: true} {
		if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Load(); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: got error %v, want one that names the file", damaged, err)
		}
		if got, err := store.Load(); (err != nil) != stays || !got.Token.IsZero() {
			t.Errorf("%q: got %v, %v from then on", damaged, got, err)
		}
	}
}
