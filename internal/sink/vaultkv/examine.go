package vaultkv

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/doctor"
	"github.com/credsync/credsync/internal/sink"
	"github.com/credsync/credsync/internal/wire"
)

var _ doctor.Examiner = (*Sink)(nil)

// Examination implements [doctor.Examiner]: whether a Vault answers, its clock, the
// login, the mount and the namespace, and which rights the token has.
func (s *Sink) Examination() []doctor.Step {
	var date time.Time
	return []doctor.Step{
		{Name: "way to Vault", Do: func(ctx context.Context) (advice []string, err error) {
			if u := s.client.base; u.Scheme == "http" && !wire.Loopback(u.Hostname()) {
				advice = append(advice, "address is http:// and not on this host: token and secrets cross the network readable; use https://")
			}
			date, err = s.reach(ctx)
			return advice, err
		}},
		{Name: "clock", Needs: []string{"way to Vault"}, Do: func(context.Context) ([]string, error) { return doctor.Skew("Vault", date), nil }},
		{Name: "login", Needs: []string{"way to Vault"}, Do: func(ctx context.Context) ([]string, error) {
			_, err := s.client.tokens.get(ctx)
			return nil, err
		}},
		{Name: "mount", Needs: []string{"login"}, Do: func(ctx context.Context) ([]string, error) {
			_, err := s.mount.examine(ctx)
			return nil, err
		}},
		{Name: "policy", Needs: []string{"mount"}, Do: s.checkRights},
		{Name: "life of what is stored", Needs: []string{"policy"}, Do: s.checkExpiry},
	}
}

// reach asks Vault what it tells without a token, and returns the server's time
// (Vault: /sys/seal-status). A refusal is an answer too: some servers keep that
// path to themselves. Its answer has a form of its own, so what is known of
// others' is not asked of it.
func (s *Sink) reach(ctx context.Context) (time.Time, error) {
	a, err := s.client.attempt(ctx, request{method: http.MethodGet, path: "sys/seal-status"}, credential.Secret{})
	var seal struct {
		Sealed      *bool `json:"sealed"`
		Initialized bool  `json:"initialized"`
	}
	f := &failure{operation: a.operation, class: sink.ErrUnavailable}
	switch {
	case a.status >= http.StatusBadRequest && a.status < http.StatusInternalServerError:
		return a.date, nil
	case a.status != http.StatusOK:
		return a.date, err
	case json.Unmarshal(a.body, &seal) != nil || seal.Sealed == nil:
		f.problem = "what answers there is not Vault; is address right?"
	case !seal.Initialized:
		f.problem = "Vault is not initialized; run vault operator init"
	case *seal.Sealed:
		f.problem = "Vault is sealed; run vault operator unseal"
	default:
		return a.date, nil
	}
	return a.date, f
}
