package e2e

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

// silent is for servers whose clients misbehave on purpose.
var silent = log.New(io.Discard, "", 0)

// letters is a session token of AWS that could be taken for an error code.
const letters = "CanarySessionTokenOfLettersAloneLikeAnErrorCode"

// A stage is a world whose peers are all hostile, with a secret of every kind in
// it, and traps where redirects lead.
type stage struct {
	*world
	vault    *vault
	aws      *aws
	peers    []*hostile // Amazon, Vault, AWS
	secrets  map[string]string
	said     scan
	runs     int
	trapped  atomic.Int64
	byClient map[string]string // skills, by client ID
	secure   string            // URLs of the traps
	plain    string
}

// newStage returns a stage of so many skills, where everybody speaks TLS if
// secure.
func newStage(t *testing.T, skills int, secure bool) *stage {
	t.Helper()
	w := newWorld(t, skills)
	s := &stage{world: w, vault: w.withVault(), aws: w.withAWS(), secrets: make(map[string]string), byClient: make(map[string]string)}
	w.withFiles("{skill_id}.json", nil)
	w.job["max_changes"] = "100%"
	amazon, vault, aws := newHostile(t, w.amazon.url, s.ofAmazon, secure), newHostile(t, s.vault.url, ofVault, secure), newHostile(t, s.aws.URL, ofAWS, secure)
	s.peers = []*hostile{amazon, vault, aws}
	w.source["api_url"], w.source["token_url"] = amazon.server.URL, amazon.server.URL+"/auth/o2/token"
	w.vaultSink()["address"] = vault.server.URL
	w.sinks["aws"]["aws_secrets_manager"].(settings)["endpoint_url"] = aws.server.URL
	s.vaultRole()
	w.write("audit-key", "canary-audit-key+/=&<0123456789>")
	w.more["audit"] = settings{"file": "audit.jsonl", "key": file("audit-key")}
	s.keysOfAWS()
	tmp := filepath.Join(w.dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "TMPDIR="+tmp)
	s.traps(amazon.server)

	s.plant("refresh token", w.amazon.client.RefreshToken)
	s.plant("client secret", w.amazon.client.ClientSecret)
	s.plant("AWS secret key", awsSecret)
	s.plant("AWS session token", letters)
	s.plant("audit key", w.read("audit-key"))
	amazon.knows = []string{w.amazon.client.RefreshToken, w.amazon.client.ClientSecret}
	aws.knows = []string{awsSecret, letters}
	return s
}

// plant makes value a secret that is looked for.
func (s *stage) plant(what, value string) { s.secrets[value] = what }

// vaultRole lets credsync log in to Vault by a secret ID.
func (s *stage) vaultRole() {
	v := s.vault
	v.must("POST", "sys/auth/approle", settings{"type": "approle"}, nil)
	v.must("POST", "auth/approle/role/credsync", settings{"token_policies": "credsync"}, nil)
	var role, id struct{ Data map[string]any }
	v.must("GET", "auth/approle/role/credsync/role-id", nil, &role)
	v.must("POST", "auth/approle/role/credsync/secret-id", nil, &id)
	s.write("role-id", role.Data["role_id"].(string))
	s.write("secret-id", id.Data["secret_id"].(string))
	s.vaultSink()["auth"] = settings{"approle": settings{"role_id": file("role-id"), "secret_id": file("secret-id")}}
	s.plant("secret ID", s.read("secret-id"))
}

// keysOfAWS puts the keys where the environment does not show them.
func (s *stage) keysOfAWS() {
	path := s.write("aws-credentials", fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n", awsKeyID, awsSecret, letters))
	s.env = environment(s.dir, "AWS_SHARED_CREDENTIALS_FILE="+path, "AWS_EC2_METADATA_DISABLED=true")
}

// traps starts servers that nobody may ask, and makes their certificates, which
// are that of trusted, good for credsync.
func (s *stage) traps(trusted *httptest.Server) {
	trap := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.trapped.Add(1) })
	plain, secure := httptest.NewServer(trap), httptest.NewTLSServer(trap)
	s.Cleanup(plain.Close)
	s.Cleanup(secure.Close)
	s.plain, s.secure = plain.URL, secure.URL
	if trusted.Certificate() != nil {
		ca := s.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: trusted.Certificate().Raw})))
		s.env = append(s.env, "SSL_CERT_FILE="+ca)
	}
}

// rotate renews all pairs and plants them.
func (s *stage) rotate() {
	s.Helper()
	for i, skill := range s.amazon.rotate(len(s.amazon.skills())) {
		p := s.amazon.pair(skill)
		if i%2 == 0 { // what escapes differently in every language
			p.ClientSecret = fmt.Sprintf(`amzn1.oa2-cs.v1.canary+/=&%%\'~;%032x%02d`, rand.Uint64(), i)
			s.amazon.set(skill, p)
		}
		s.plant("secret of a skill", p.ClientSecret)
		s.byClient[p.ClientID] = skill
	}
}

// run runs a command, at debug level, and looks through all that it leaves.
func (s *stage) run(args ...string) run {
	s.Helper()
	format := []string{"json", "console"}[s.runs%2]
	s.runs++
	r := s.credsync(append([]string{"--log-level", "debug", "--log-format", format}, args...)...)
	for _, h := range s.peers {
		for _, token := range h.tokens() {
			s.plant("token", token)
		}
	}
	s.said.secrets = s.secrets
	name := strings.Join(args, " ")
	s.said.look("standard output of "+name, r.stdout)
	s.said.look("standard error of "+name, r.stderr)
	return r
}

// leftovers looks through the files that credsync keeps.
func (s *stage) leftovers() {
	s.Helper()
	rotated := filepath.Join(s.dir, "state", "refresh-token-amazon.json")
	for _, dir := range []string{"audit.jsonl", "state", "tmp", "secrets"} {
		err := filepath.WalkDir(filepath.Join(s.dir, dir), func(path string, d os.DirEntry, err error) error {
			base := filepath.Base(path)
			if err != nil || d.IsDir() || path == rotated || dir == "secrets" && !strings.HasSuffix(base, ".credsync") {
				return err // a rotated token is kept in one file, and pairs in the sink's own
			}
			if dir == "tmp" {
				s.Errorf("%s is left", path)
			}
			b, err := os.ReadFile(path)
			s.said.look(path, string(b))
			return err
		})
		if err != nil {
			s.Error(err)
		}
	}
}

var anySkill = regexp.MustCompile(`amzn1\.ask\.skill\.[0-9a-f-]{36}`)

// ofAmazon names requests of the API and of Login with Amazon.
func (s *stage) ofAmazon(r *http.Request, body []byte) string {
	form, _ := url.ParseQuery(string(body))
	switch {
	case form.Get("grant_type") == "refresh_token":
		return "token "
	case form.Get("grant_type") != "":
		return "verify " + s.byClient[form.Get("client_id")]
	case strings.HasSuffix(r.URL.Path, "/credentials"):
		return "credentials " + anySkill.FindString(r.URL.Path)
	}
	return "skills "
}

func ofVault(r *http.Request, _ []byte) string {
	skill := anySkill.FindString(r.URL.Path)
	switch {
	case strings.HasSuffix(r.URL.Path, "/login"):
		return "login "
	case strings.Contains(r.URL.Path, "/mounts/"), r.URL.Query().Has("list"):
		return "vault "
	case r.Method == http.MethodGet:
		return "vault-look " + skill
	}
	return "vault-write " + skill
}

func ofAWS(r *http.Request, body []byte) string {
	skill := anySkill.FindString(string(body))
	switch strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.") {
	case "ListSecrets":
		return "aws "
	case "DescribeSecret":
		return "aws-look " + skill
	}
	return "aws-write " + skill
}
