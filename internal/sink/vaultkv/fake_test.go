package vaultkv

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	rootToken  = "fake-root"
	plainToken = "fake-token" // may not read data, nor update metadata
)

// fake is not Vault but as much of one mount of it as the tests need to run where
// no Vault is at hand: KV version 1 or 2 at secret/, two tokens, the kind of the
// mount, and rights. What it does was seen on Vault 1.21.
type fake struct {
	version int
	mu      sync.Mutex
	secrets map[string]*fakeSecret
	born    time.Time
	ticks   time.Duration
}

type fakeSecret struct {
	created  string
	custom   map[string]string
	versions []*fakeVersion
}

type fakeVersion struct {
	Created   string         `json:"created_time"`
	Deletion  string         `json:"deletion_time"`
	Destroyed bool           `json:"destroyed"`
	data      map[string]any // of version 1 too
}

func newFake(version int) *fake {
	return &fake{version: version, secrets: make(map[string]*fakeSecret), born: time.Now().UTC().Truncate(time.Second)}
}

// tick returns another time at each call, in the past.
func (f *fake) tick() string {
	f.ticks += time.Microsecond
	return f.born.Add(f.ticks - time.Second).Format(time.RFC3339Nano)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	token, path := r.Header.Get("X-Vault-Token"), strings.TrimPrefix(r.URL.Path, "/v1/")
	var body map[string]any
	d := json.NewDecoder(r.Body)
	d.UseNumber()
	_ = d.Decode(&body)
	name, inMount := strings.CutPrefix(path, "secret/")
	switch {
	case token != rootToken && token != plainToken:
		refuse(w, 403, "permission denied", "invalid token")
	case path == "sys/internal/ui/mounts/secret":
		reply(w, 200, map[string]any{"path": "secret/", "type": "kv", "options": map[string]any{"version": strconv.Itoa(f.version)}})
	case strings.HasPrefix(path, "sys/internal/ui/mounts/"):
		refuse(w, 403, "preflight capability check returned 403")
	case path == "sys/capabilities-self":
		reply(w, 200, f.rights(token, body["paths"].([]any)))
	case path == "auth/token/lookup-self":
		reply(w, 200, map[string]any{"ttl": 0, "creation_ttl": 0, "renewable": false})
	case !inMount:
		refuse(w, 404, fmt.Sprintf("no handler for route %q. route entry not found.", path))
	case f.version == 1:
		f.secret(w, r, name, body)
	case strings.HasPrefix(name, "metadata/"):
		f.metadata(w, r, strings.TrimPrefix(name, "metadata/"), body)
	case strings.HasPrefix(name, "undelete/") && f.secrets[strings.TrimPrefix(name, "undelete/")] != nil:
		for _, v := range f.secrets[strings.TrimPrefix(name, "undelete/")].versions {
			v.Deletion = ""
		}
		w.WriteHeader(204)
	case strings.HasPrefix(name, "data/"):
		f.data(w, r, strings.TrimPrefix(name, "data/"), body)
	default:
		refuse(w, 404)
	}
}

func (f *fake) rights(token string, paths []any) map[string]any {
	all := make(map[string]any)
	for _, p := range paths {
		switch {
		case token == rootToken:
			all[p.(string)] = []string{"root"}
		case strings.HasPrefix(p.(string), "secret/data/"):
			all[p.(string)] = []string{"update"}
		case f.version == 1:
			all[p.(string)] = []string{"create", "read", "update", "list"}
		default:
			all[p.(string)] = []string{"create", "read", "patch", "list"}
		}
	}
	return all
}

// secret is KV version 1.
func (f *fake) secret(w http.ResponseWriter, r *http.Request, name string, body map[string]any) {
	s := f.secrets[name]
	switch {
	case r.URL.Query().Has("list"):
		f.list(w, name)
	case r.Method == http.MethodPut:
		f.secrets[name] = &fakeSecret{versions: []*fakeVersion{{data: body}}}
		w.WriteHeader(204)
	case s == nil:
		refuse(w, 404)
	default:
		reply(w, 200, s.versions[0].data)
	}
}

func (f *fake) metadata(w http.ResponseWriter, r *http.Request, name string, body map[string]any) {
	s, custom := f.secrets[name], body["custom_metadata"]
	switch {
	case r.URL.Query().Has("list"):
		f.list(w, name)
	case r.Method == http.MethodPost && s != nil && r.Header.Get("X-Vault-Token") == plainToken:
		refuse(w, 403, "1 error occurred:\n\t* permission denied\n\n")
	case r.Method == http.MethodPost:
		if s == nil {
			s = &fakeSecret{created: f.tick()}
			f.secrets[name] = s
		}
		s.custom = make(map[string]string)
		s.merge(custom)
		w.WriteHeader(204)
	case r.Method == http.MethodDelete:
		delete(f.secrets, name)
		w.WriteHeader(204)
	case r.Method == http.MethodPatch && s == nil:
		w.WriteHeader(404)
	case r.Method == http.MethodPatch:
		s.merge(custom)
		w.WriteHeader(204)
	case s == nil:
		refuse(w, 404)
	default:
		versions := make(map[string]*fakeVersion)
		for i, v := range s.versions {
			versions[strconv.Itoa(i+1)] = v
		}
		reply(w, 200, map[string]any{"created_time": s.created, "current_version": len(s.versions), "custom_metadata": s.custom, "versions": versions})
	}
}

func (s *fakeSecret) merge(custom any) {
	pairs, _ := custom.(map[string]any)
	for key, value := range pairs {
		if v, ok := value.(string); ok {
			s.custom[key] = v
		} else {
			delete(s.custom, key)
		}
	}
}

func (f *fake) data(w http.ResponseWriter, r *http.Request, name string, body map[string]any) {
	s := f.secrets[name]
	switch {
	case r.Method == http.MethodDelete:
		s.versions[len(s.versions)-1].Deletion = f.tick()
		w.WriteHeader(204)
		return
	case r.Method == http.MethodGet && (s == nil || len(s.versions) == 0 || s.versions[len(s.versions)-1].Deletion != ""):
		refuse(w, 404)
		return
	case r.Method == http.MethodGet:
		reply(w, 200, map[string]any{"data": s.versions[len(s.versions)-1].data})
		return
	}
	values := body["data"].(map[string]any)
	for _, v := range values {
		if text, ok := v.(string); ok && len(text) > 1<<20 {
			refuse(w, 500, "JSON string value exceeds allowed length")
			return
		}
	}
	now := f.tick()
	if s == nil {
		s = &fakeSecret{created: now, custom: make(map[string]string)}
	}
	options, _ := body["options"].(map[string]any)
	if cas, ok := options["cas"].(json.Number); ok && cas.String() != strconv.Itoa(len(s.versions)) {
		refuse(w, 400, "check-and-set parameter did not match the current version")
		return
	}
	f.secrets[name] = s
	s.versions = append(s.versions, &fakeVersion{Created: now, data: values})
	reply(w, 200, map[string]any{"version": len(s.versions), "created_time": now, "custom_metadata": s.custom})
}

func (f *fake) list(w http.ResponseWriter, folder string) {
	folder = strings.TrimPrefix(strings.TrimSuffix(folder, "/")+"/", "/")
	var keys []string
	for name := range f.secrets {
		if rest, ok := strings.CutPrefix(name, folder); ok {
			head, _, deeper := strings.Cut(rest, "/")
			if deeper {
				head += "/"
			}
			keys = append(keys, head)
		}
	}
	if len(keys) == 0 {
		refuse(w, 404)
		return
	}
	slices.Sort(keys)
	reply(w, 200, map[string]any{"keys": slices.Compact(keys)})
}

func reply(w http.ResponseWriter, status int, data any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"request_id": "0b5ee1f5", "data": data})
}

func refuse(w http.ResponseWriter, status int, errs ...string) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": append([]string{}, errs...)})
}
