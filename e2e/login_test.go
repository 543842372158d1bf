package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// A way in is one of Vault's auth methods, prepared for credsync.
type wayIn struct {
	auth    settings            // as the configuration has it
	secrets map[string]string   // what is not to be seen: what it is, by value
	good    func()              // puts what Vault accepts where the configuration points
	bad     func()              // puts something else there
	says    string              // what the error asks then
	vault   func(role settings) // sets the role's token anew
}

// lasting is what a role's token is, but for its time.
func lasting(more settings) settings {
	role := settings{"token_policies": "credsync", "token_no_default_policy": true}
	maps.Copy(role, more)
	return role
}

var waysIn = map[string]func(*world, *vault) wayIn{
	"approle": byAppRole, "kubernetes": byKubernetes, "jwt": byJWT, "userpass": byUserPass, "cert": byCert,
}

func TestEachLoginToVault(t *testing.T) {
	for kind, prepare := range waysIn {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, 3)
			v := w.withVault()
			if kind == "cert" {
				v = w.overTLS()
			}
			in := prepare(w, v)
			in.vault(nil)
			w.vaultSink()["auth"] = settings{kind: in.auth}
			in.good()
			v.grant(w.policy("vault"))

			said := scan{secrets: make(map[string]string)}
			look := func(r report) report {
				maps.Copy(said.secrets, in.secrets)
				said.look("standard output", r.stdout)
				said.look("standard error", r.stderr)
				return r
			}
			in.bad()
			r := look(w.sync("--log-level", "debug"))
			w.want(r, 1, map[string]int{"failed": 3})
			w.wantReason(r, "vault", "denied")
			if text := r.troubles()[0].Error; !strings.Contains(text, in.says) {
				t.Errorf("the error asks %q, want %q in it", text, in.says)
			}
			in.good()
			w.want(look(w.sync("--log-level", "debug")), 0, map[string]int{"created": 3})
			w.want(look(w.sync("--log-level", "debug")), 0, map[string]int{"unchanged": 3})
			w.holds()
			if problem := w.checked("sink vault"); problem != "" {
				t.Errorf("check --online: %s", problem)
			}
			said.wantNothing(t)
		})
	}
}

// A token that ends is renewed, and replaced when it can't be any more, by each
// way in alike.
func TestATokenThatEndsIsRenewedAndReplaced(t *testing.T) {
	for kind, prepare := range waysIn {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, 2)
			v := w.withVault()
			if kind == "cert" {
				v = w.overTLS()
			}
			in := prepare(w, v)
			in.vault(settings{"token_ttl": "3s", "token_max_ttl": "5s"})
			w.vaultSink()["auth"] = settings{kind: in.auth}
			w.job["schedule"] = "0 0 1 1 *" // the daemon is to keep its token, and to write nothing
			in.good()
			v.grant(w.policy("vault"))
			_, mark := v.requests(0)
			d := w.daemon()
			until(t, time.Minute, "the token is renewed, and another is asked for", func() bool {
				seen, _ := v.requests(mark)
				n := make(map[string]int)
				for _, r := range seen {
					n[r.Request.Path]++
				}
				return n["auth/token/renew-self"] >= 1 && n[v.loginPath(kind)] >= 2
			})
			d.stop()
			w.wantSync(0, map[string]int{"created": 2})
		})
	}
}

func (v *vault) loginPath(kind string) string {
	if kind == "userpass" {
		return "auth/userpass/login/credsync"
	}
	return "auth/" + kind + "/login"
}

func byAppRole(w *world, v *vault) wayIn {
	v.must("POST", "sys/auth/approle", settings{"type": "approle"}, nil)
	in := wayIn{
		auth: settings{"role_id": file("role-id"), "secret_id": file("secret-id")}, secrets: make(map[string]string),
		says:  "is the secret ID still good",
		bad:   func() { w.write("role-id", "canary-role"); w.write("secret-id", "canary-secret-id-of-nobody") },
		vault: func(role settings) { v.must("POST", "auth/approle/role/credsync", lasting(role), nil) },
	}
	in.good = func() {
		var role, id struct{ Data map[string]any }
		v.must("GET", "auth/approle/role/credsync/role-id", nil, &role)
		v.must("POST", "auth/approle/role/credsync/secret-id", nil, &id)
		w.write("role-id", role.Data["role_id"].(string))
		w.write("secret-id", id.Data["secret_id"].(string))
		in.secrets[id.Data["secret_id"].(string)] = "secret ID"
	}
	in.secrets["canary-secret-id-of-nobody"] = "wrong secret ID"
	return in
}

func byUserPass(w *world, v *vault) wayIn {
	const good, bad = "canary+right/password=&%", "canary+wrong/password=&%"
	v.must("POST", "sys/auth/userpass", settings{"type": "userpass"}, nil)
	return wayIn{
		auth:    settings{"username": "credsync", "password": file("password")},
		secrets: map[string]string{good: "password", bad: "wrong password"},
		says:    "are auth.userpass.username, password and mount right",
		good:    func() { w.write("password", good) },
		bad:     func() { w.write("password", bad) },
		vault: func(role settings) {
			user := lasting(role)
			user["password"] = good
			v.must("POST", "auth/userpass/users/credsync", user, nil)
		},
	}
}

// A signer issues JSON web tokens.
type signer struct {
	*world
	key *ecdsa.PrivateKey
}

func (w *world) signer() signer {
	w.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.Fatal(err)
	}
	return signer{w, key}
}

// token returns a token with these claims, which is good for the time given.
func (s signer) token(claims settings, good time.Duration) string {
	s.Helper()
	claims["iat"], claims["exp"] = time.Now().Add(-time.Hour).Unix(), time.Now().Add(good).Unix()
	text := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(encode(s.T, claims)))
	digest := sha256.Sum256([]byte(text))
	r, sig, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		s.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(append(r.FillBytes(make([]byte, 32)), sig.FillBytes(make([]byte, 32))...))
}

func byJWT(w *world, v *vault) wayIn {
	s := w.signer()
	claims := settings{"sub": "credsync", "aud": "vault"}
	good, old := s.token(claims, time.Hour), s.token(claims, -time.Minute)
	v.must("POST", "sys/auth/jwt", settings{"type": "jwt"}, nil)
	v.must("POST", "auth/jwt/config", settings{"jwt_validation_pubkeys": publicKey(w.T, s.key)}, nil)
	return wayIn{
		auth:    settings{"role": "credsync", "token": file("id-token")},
		secrets: map[string]string{good: "JWT", old: "expired JWT"},
		says:    "is what auth.jwt.token points to still good",
		good:    func() { w.write("id-token", good) },
		bad:     func() { w.write("id-token", old) },
		vault: func(role settings) {
			all := lasting(role)
			all["role_type"], all["user_claim"], all["bound_audiences"], all["bound_subject"] = "jwt", "sub", "vault", "credsync"
			v.must("POST", "auth/jwt/role/credsync", all, nil)
		},
	}
}

// byKubernetes stands a fake beside Vault of the one call of a cluster's API that
// Vault makes: a token review. What it knows are two tokens.
func byKubernetes(w *world, v *vault) wayIn {
	s := w.signer()
	account := func(name string) string {
		return s.token(settings{
			"iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:voice:" + name,
			"kubernetes.io": settings{"namespace": "voice", "serviceaccount": settings{"name": name, "uid": uuid(len(name))}},
		}, time.Hour)
	}
	good, other := account("credsync"), account("somebody")
	cluster := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var review struct{ Spec struct{ Token string } }
		_ = json.NewDecoder(r.Body).Decode(&review)
		names := map[string]string{good: "credsync", other: "somebody"}
		name, known := names[review.Spec.Token]
		if r.URL.Path != "/apis/authentication.k8s.io/v1/tokenreviews" {
			w.Errorf("Vault asks the cluster for %s", r.URL.Path)
		}
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(settings{"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "status": settings{
			"authenticated": known,
			"user":          settings{"username": "system:serviceaccount:voice:" + name, "uid": uuid(len(name)), "groups": []string{"system:serviceaccounts"}},
		}})
	}))
	w.Cleanup(cluster.Close)
	v.must("POST", "sys/auth/kubernetes", settings{"type": "kubernetes"}, nil)
	v.must("POST", "auth/kubernetes/config", settings{"kubernetes_host": cluster.URL, "disable_local_ca_jwt": true, "token_reviewer_jwt": good}, nil)
	return wayIn{
		auth:    settings{"role": "credsync", "token_file": "account-token"},
		secrets: map[string]string{good: "service account token", other: "token of another"},
		says:    "does auth.kubernetes.role bind this service account",
		good:    func() { w.write("account-token", good) },
		bad:     func() { w.write("account-token", other) },
		vault: func(role settings) {
			all := lasting(role)
			all["bound_service_account_names"], all["bound_service_account_namespaces"] = "credsync", "voice"
			v.must("POST", "auth/kubernetes/role/credsync", all, nil)
		},
	}
}

func byCert(w *world, v *vault) wayIn {
	ours, theirs := newAuthority(w.T), newAuthority(w.T)
	w.write("ca.pem", ours.pem())
	v.must("POST", "sys/auth/cert", settings{"type": "cert"}, nil)
	in := wayIn{
		auth: settings{"name": "credsync", "cert_file": "client.pem", "key_file": "client-key.pem"}, secrets: make(map[string]string),
		says: "does a role (auth.cert.name) trust its authority",
		vault: func(role settings) {
			all := lasting(role)
			all["certificate"], all["allowed_common_names"] = ours.pem(), "credsync"
			v.must("POST", "auth/cert/certs/credsync", all, nil)
		},
	}
	by := func(a *authority) func() {
		return func() {
			certificate, key := a.issue("credsync")
			w.write("client.pem", certificate)
			w.write("client-key.pem", key)
			for i, line := range slices.Collect(strings.Lines(key)) {
				if len(line) > 40 && i > 1 {
					in.secrets[strings.TrimSpace(line)] = "private key"
				}
			}
		}
	}
	in.good, in.bad = by(ours), by(theirs)
	return in
}
