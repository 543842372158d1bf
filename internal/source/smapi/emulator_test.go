package smapi

import (
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/emulator"
	"github.com/credsync/credsync/internal/source"
)

// emulated opens a source on an emulated Amazon, over real connections.
func emulated(t *testing.T, o emulator.Options) (*emulator.Amazon, *Source, Config) {
	t.Helper()
	a := emulator.New(o)
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	c := Config{
		ClientID: a.ClientID(), ClientSecret: secretFile(t, a.ClientSecret().Reveal()), RefreshToken: secretFile(t, a.RefreshToken().Reveal()),
		APIURL: server.URL, TokenURL: server.URL + "/auth/o2/token", RequestsPerSecond: 500, MaxRequestsPerSecond: 500,
	}
	s, err := Open(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.CloseIdleConnections)
	return a, s, c
}

// fetchAll fetches the pairs of ids as a run does, and fails the test where one
// is not what Amazon has.
func fetchAll(t *testing.T, a *emulator.Amazon, s *Source, workers int) {
	t.Helper()
	jobs := make(chan credential.SkillID)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for id := range jobs {
				got, err := s.Fetch(t.Context(), id)
				if err != nil {
					t.Error(err)
				} else if want, _ := a.Pair(id); !got.Equal(want) {
					t.Errorf("%s: another pair than Amazon has", id)
				}
			}
		})
	}
	for _, id := range a.Skills() {
		jobs <- id
	}
	close(jobs)
	wg.Wait()
}

func TestAgainstTheEmulator(t *testing.T) {
	a, s, c := emulated(t, emulator.Options{Seed: 1, Skills: 120, Refresh: emulator.RefreshReplace})
	fetchAll(t, a, s, c.Workers())
	if got := a.Requests().Count(emulator.OpToken); got != 1 {
		t.Errorf("got %d token requests, want 1", got)
	}
	a.RotateNext(3)
	a.ExpireTokens()
	fetchAll(t, a, s, c.Workers())
	a.ExpireTokens()
	fetchAll(t, a, s, c.Workers())
	if got := a.Requests().Count(emulator.OpToken, 200); got != 3 {
		t.Errorf("got %d token requests after all tokens expired twice, want 3", got)
	}

	skills, err := s.Skills(t.Context(), "")
	if err != nil || len(skills) != 120 || skills[0].Vendor != a.Vendor() {
		t.Errorf("got %d skills, %v, want 120 of %s", len(skills), err, a.Vendor())
	}

	id := a.Skills()[0]
	pair, _ := a.Pair(id)
	if err := s.Verify(t.Context(), pair); err != nil {
		t.Error(err)
	}
	pair.ClientSecret = credential.NewSecret("amzn1.oa2-cs.v1.0000")
	wantErr(t, s.Verify(t.Context(), pair), source.ErrRejected)

	a.SetIssued(false, id)
	_, err = s.Fetch(t.Context(), id)
	wantErr(t, err, source.ErrNotFound)

	fresh := a.RevokeRefreshTokens()
	a.ExpireTokens()
	_, err = s.Fetch(t.Context(), a.Skills()[1])
	wantErr(t, err, source.ErrDenied)
	if err := os.WriteFile(c.RefreshToken.File, []byte(fresh.Reveal()), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context(), a.Skills()[1]); err != nil {
		t.Errorf("after a new consent: %v", err)
	}
}

func TestTheEmulatorsLimitIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds of real time")
	}
	a, _, c := emulated(t, emulator.Options{Seed: 2, Skills: 100, Rate: 50, Burst: 5})
	c.RequestsPerSecond, c.MaxRequestsPerSecond = 25, 200
	s, err := Open(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.CloseIdleConnections()
	start := time.Now()
	fetchAll(t, a, s, c.Workers())
	took := time.Since(start).Seconds()
	t.Logf("100 skills at 50 a second: %.1f s, %d throttled", took, a.Requests().Count(emulator.OpCredentials, 429))
	if took > 3*100/50 {
		t.Errorf("took %.1f s", took)
	}
}

// The forms of body that the emulator gives with a 200 instead of a pair.
func TestTheEmulatorsBadBodies(t *testing.T) {
	a, s, _ := emulated(t, emulator.Options{Seed: 3, Skills: 1})
	for _, body := range []emulator.Body{emulator.BodyEmpty, emulator.BodyHTML, emulator.BodyNull, emulator.BodyEmptyPair, emulator.BodyHalfPair, emulator.BodyEcho} {
		if err := a.Inject(emulator.Fault{Operation: emulator.OpCredentials, Body: body, Status: 200}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Fetch(t.Context(), a.Skills()[0])
		wantErr(t, err, source.ErrInvalid)
	}
}

func TestTheEmulatorsBadDeliveries(t *testing.T) {
	a, s, _ := emulated(t, emulator.Options{Seed: 4, Skills: 1})
	id := a.Skills()[0]
	for _, delivery := range []emulator.Delivery{emulator.DeliverReset, emulator.DeliverCut} {
		if err := a.Inject(emulator.Fault{Operation: emulator.OpCredentials, Delivery: delivery, Count: 2}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Fetch(t.Context(), id); err != nil {
			t.Errorf("%s twice, then all well: %v", delivery, err)
		}
	}
}
