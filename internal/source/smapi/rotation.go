package smapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"

	"go.uber.org/zap"
	"golang.org/x/oauth2"

	"github.com/credsync/credsync/internal/credential"
)

// A StoredToken is a refresh token that LWA gave in the place of the configured
// one. It counts while Configured is the hex SHA-256 of that: who configures
// another token wants that used. The zero StoredToken is none.
type StoredToken struct {
	Token      credential.Secret
	Configured string
}

// A TokenStore keeps one rotated refresh token over restarts. A [Source] calls
// it from one goroutine at a time.
type TokenStore interface {
	// Load returns what was saved last; the zero StoredToken where nothing was.
	Load() (StoredToken, error)
	// Save replaces what is kept. On nil it is durable.
	Save(s StoredToken) error
}

// Files keeps small JSON files by name. Load reports whether there is one.
type Files interface {
	Load(name string, v any) (found bool, err error)
	Save(name string, v any) error
}

// FileTokens returns the store that keeps the token of the named source in the
// file refresh-token-<source>.json:
//
//	{"format": 1, "token": "Atzr|…", "configured_sha256": "<64 hex digits>"}
//
// Both are empty where no token is kept. The format is final: a later release
// reads what this one wrote, and this one passes over what a later one added.
func FileTokens(files Files, source string) TokenStore {
	return fileTokens{files, "refresh-token-" + source + ".json"}
}

type fileTokens struct {
	files Files
	name  string
}

func (f fileTokens) Load() (StoredToken, error) {
	var file tokenFile
	_, err := f.files.Load(f.name, &file)
	return StoredToken(file), err
}

func (f fileTokens) Save(s StoredToken) error { return f.files.Save(f.name, tokenFile(s)) }

// tokenFile is a StoredToken on its way to or from its file. It is a type of
// its own so that nothing else turns a token into text.
type tokenFile StoredToken

func (f tokenFile) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"format": 1, "token": f.Token.Reveal(), "configured_sha256": f.Configured})
}

func (f *tokenFile) UnmarshalJSON(b []byte) error {
	var file struct {
		Format     int    `json:"format"`
		Token      string `json:"token"`
		Configured string `json:"configured_sha256"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return err
	}
	if file.Format != 1 {
		return fmt.Errorf("format %d", file.Format)
	}
	*f = tokenFile{credential.NewSecret(file.Token), file.Configured}
	return nil
}

// MemoryTokens returns a store that keeps a token as long as it is used, by
// whichever sources, and says once that this may not be long enough.
func MemoryTokens(log *zap.Logger) TokenStore { return &memoryTokens{log: log} }

type memoryTokens struct {
	log *zap.Logger

	mu     sync.Mutex
	kept   StoredToken
	warned bool
}

func (m *memoryTokens) Load() (StoredToken, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept, nil
}

func (m *memoryTokens) Save(s StoredToken) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !s.Token.IsZero() && !m.warned {
		m.warned = true
		m.log.Warn("Amazon replaced the refresh token and there is no state_dir to keep it in; the next start may be refused; set state_dir")
	}
	m.kept = s
	return nil
}

// kept returns the rotated token that counts for g, or none. The store is asked
// each time: another process of ours may have rotated the token since.
func (t *tokens) kept(g grant) StoredToken {
	s := StoredToken{}
	if t.unsaved != nil {
		s = *t.unsaved
	} else if loaded, err := t.store.Load(); err != nil {
		t.log.Warn("the rotated refresh token can't be read; using the configured one", zap.Error(err))
	} else {
		s = loaded
	}
	if s.Configured != digest(g.refresh) {
		return StoredToken{}
	}
	return s
}

// keep has now, the refresh token to use from here on, survive a restart. What
// the store won't take is kept in memory and offered again the next time.
func (t *tokens) keep(g grant, before StoredToken, now credential.Secret) {
	next := StoredToken{}
	if !now.Equal(g.refresh) {
		next = StoredToken{now, digest(g.refresh)}
	}
	if t.unsaved == nil && next.Token.Equal(before.Token) {
		return
	}
	if err := t.store.Save(next); err != nil {
		t.unsaved = &next
		t.log.Warn("the rotated refresh token can't be kept; a restart falls back to the configured one", zap.Error(err))
		return
	}
	t.unsaved = nil
}

// rotated returns the refresh token to use after got came for used: a new one,
// or the same where none came that can be one.
func rotated(used grant, got *oauth2.Token) credential.Secret {
	if v := got.RefreshToken; v == "" || len(v) > maxToken || !printable(v) {
		return used.refresh
	}
	return credential.NewSecret(got.RefreshToken)
}

// digest tells configured tokens apart. A token has too much entropy to be
// searched for, so its plain hash shows nothing of it.
func digest(s credential.Secret) string {
	sum := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(sum[:])
}
