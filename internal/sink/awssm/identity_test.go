package awssm

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/credsync/credsync/internal/sink"
)

// A fakeSTS is a fault server: it answers AssumeRole and
// AssumeRoleWithWebIdentity with one identity, or fails.
type fakeSTS struct {
	asked []url.Values
	keys  []string // access keys that requests were signed with
	code  string   // the error to answer, if any
	times int
}

const roleKeyID = "ASIAROLEKEYID0000001"

func (f *fakeSTS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	f.asked, f.keys = append(f.asked, r.Form), append(f.keys, signer(r))
	f.times++
	if f.code != "" {
		status := http.StatusForbidden
		if f.code == "InternalFailure" {
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>%v</Message></Error></ErrorResponse>", f.code, r.Form)
		return
	}
	action := r.Form.Get("Action")
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials>
		<AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration>
		</Credentials></%[1]sResult></%[1]sResponse>`, action, roleKeyID, testKey, testSession, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

// signer returns the access key that r is signed with.
func signer(r *http.Request) string {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(rest, "/")
	return key
}

const (
	roleARN    = "arn:aws:iam::123456789012:role/credsync"
	externalID = "EXTERNALcanary0001"
)

// An identityRig is a fault server for Secrets Manager that notes who asks, and
// one for STS.
type identityRig struct {
	fake    *fake
	sts     *fakeSTS
	options Options
	config  Config
	mu      sync.Mutex
	keys    []string
	heard   []string // what the observer heard
}

func newIdentityRig(t *testing.T) *identityRig {
	t.Helper()
	plainEnvironment(t)
	r := &identityRig{fake: newFake(), sts: &fakeSTS{}}
	g := &gate{backend: r.fake, instead: func(_ http.ResponseWriter, q *http.Request) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.keys = append(r.keys, signer(q))
		return false
	}}
	r.config = testConfig(g.open(t))
	server := httptest.NewServer(r.sts)
	t.Cleanup(server.Close)
	r.options = Options{sts: server.URL, delay: soon{}, Observe: func(target, operation string, status int, _ time.Duration) {
		r.heard = append(r.heard, fmt.Sprint(target, " ", operation, " ", status))
	}}
	return r
}

func (r *identityRig) inspect(t *testing.T) error {
	t.Helper()
	sent := r.sts.times + len(r.keys)
	s, err := Open(r.config, r.options)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.sts.times + len(r.keys); n > sent {
		t.Error("Open sent something")
	}
	_, err = s.Inspect(t.Context(), name)
	return err
}

func TestIdentity(t *testing.T) {
	t.Run("the environment's key", func(t *testing.T) {
		r := newIdentityRig(t)
		wantError(t, r.inspect(t), nil)
		wantStrings(t, "signed with", r.keys, testKeyID)
		wantStrings(t, "observed", r.heard, "aws_secrets_manager DescribeSecret 400")
	})
	t.Run("a role, by the environment's key and an external ID", func(t *testing.T) {
		r := newIdentityRig(t)
		r.config.RoleARN, r.config.ExternalID = roleARN, externalID
		wantError(t, r.inspect(t), nil)
		wantStrings(t, "signed with", r.keys, roleKeyID)
		wantStrings(t, "STS was asked by", r.sts.keys, testKeyID)
		wantStrings(t, "observed", r.heard, "aws_sts AssumeRole 200", "aws_secrets_manager DescribeSecret 400")
		q := r.sts.asked[0]
		wantStrings(t, "STS was asked for", []string{q.Get("RoleArn"), q.Get("ExternalId"), q.Get("RoleSessionName")}, roleARN, externalID, "credsync")
	})
	t.Run("a role is asked for once, whoever asks", func(t *testing.T) {
		r := newIdentityRig(t)
		r.config.RoleARN = roleARN
		s, err := Open(r.config, Options{sts: r.options.sts})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if _, err := listed(t.Context(), s, "prod"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if r.sts.times != 1 {
			t.Errorf("STS was asked %d times, want once", r.sts.times)
		}
	})
	t.Run("a web identity", func(t *testing.T) {
		r := newIdentityRig(t)
		hostileEnvironment(t)
		webIdentity(t)
		wantError(t, r.inspect(t), nil)
		wantStrings(t, "signed with", r.keys, roleKeyID)
		wantStrings(t, "STS was asked for", []string{r.sts.asked[0].Get("WebIdentityToken")}, "canary.web.identity")
	})
	t.Run("a profile with a role", func(t *testing.T) {
		r := newIdentityRig(t)
		hostileEnvironment(t)
		noKeys(t)
		t.Setenv("AWS_PROFILE", "robot")
		wantError(t, r.inspect(t), nil)
		wantStrings(t, "signed with", r.keys, roleKeyID)
		wantStrings(t, "STS was asked by", r.sts.keys, "AKIAPROFILE000000001")
	})
	t.Run("a profile that the configuration names goes before the environment", func(t *testing.T) {
		r := newIdentityRig(t)
		hostileEnvironment(t)
		t.Setenv("AWS_PROFILE", "robot")
		r.config.Profile = "keys"
		wantError(t, r.inspect(t), nil)
		wantStrings(t, "signed with", r.keys, "AKIAPROFILE000000001")
	})
	t.Run("a container's agent, as in ECS and EKS", func(t *testing.T) {
		r := newIdentityRig(t)
		noKeys(t)
		a := newAgent(t)
		wantError(t, r.inspect(t), nil)
		wantError(t, r.inspect(t), nil)
		a.renew("canary.pod.2")
		wantError(t, r.inspect(t), nil)
		wantStrings(t, "signed with", r.keys, roleKeyID, roleKeyID, roleKeyID)
		wantStrings(t, "the agent was shown", a.shown, "canary.pod.1", "canary.pod.1", "canary.pod.2")
		wantStrings(t, "STS was asked by", r.sts.keys)
	})
	t.Run("a container's agent that refuses", func(t *testing.T) {
		r := newIdentityRig(t)
		noKeys(t)
		a := newAgent(t)
		a.renew("canary.pod.refused")
		err := r.inspect(t)
		wantError(t, err, sink.ErrDenied)
		wantNoCanary(t, err, []string{"canary.pod.refused", testKey, testSession})
	})
	t.Run("none", func(t *testing.T) {
		r := newIdentityRig(t)
		noKeys(t)
		err := r.inspect(t)
		wantError(t, err, sink.ErrDenied)
		if err == nil || !strings.Contains(err.Error(), "set AWS_ACCESS_KEY_ID") {
			t.Errorf("got %v, want the way out in it", err)
		}
		wantStrings(t, "signed with", r.keys)
	})
	t.Run("none to ask for a role with", func(t *testing.T) {
		r := newIdentityRig(t)
		noKeys(t)
		r.config.RoleARN = roleARN
		wantError(t, r.inspect(t), sink.ErrDenied)
	})
	t.Run("a profile that isn't there", func(t *testing.T) {
		r := newIdentityRig(t)
		noKeys(t)
		t.Setenv("AWS_PROFILE", "nobody")
		err := r.inspect(t)
		wantError(t, err, sink.ErrDenied)
		if err == nil || !strings.Contains(err.Error(), "AWS_PROFILE") {
			t.Errorf("got %v, want the way out in it", err)
		}
	})
}

func TestRoleFails(t *testing.T) {
	for _, c := range []struct {
		code  string
		want  error
		times int
	}{
		{"AccessDenied", sink.ErrDenied, 1},
		{"ExpiredTokenException", sink.ErrDenied, 1},
		{"Throttling", sink.ErrRateLimited, 3},
		{"InternalFailure", sink.ErrUnavailable, 3},
	} {
		t.Run(c.code, func(t *testing.T) {
			r := newIdentityRig(t)
			r.config.RoleARN, r.config.ExternalID = roleARN, externalID
			r.sts.code = c.code
			err := r.inspect(t)
			wantError(t, err, c.want)
			wantNoCanary(t, err, []string{externalID, testKeyID, testKey, testSession})
			if r.sts.times != c.times {
				t.Errorf("STS was asked %d times, want %d: one layer retries", r.sts.times, c.times)
			}
			wantStrings(t, "signed with", r.keys)
		})
	}
}

// Of the environment and the shared files, credentials alone have an effect.
func TestHostileEnvironment(t *testing.T) {
	t.Run("the endpoint, the region and the retries are the configuration's", func(t *testing.T) {
		r := newIdentityRig(t)
		trapped := hostileEnvironment(t)
		regions := map[string]bool{}
		g := &gate{instead: func(w http.ResponseWriter, q *http.Request) bool {
			regions[strings.Split(q.Header.Get("Authorization"), "/")[2]] = true
			answerError(w, http.StatusServiceUnavailable, "ServiceUnavailable", "")
			return true
		}}
		r.config.EndpointURL = g.open(t)
		wantError(t, r.inspect(t), sink.ErrUnavailable)
		if g.count() != attempts || len(regions) != 1 || !regions["eu-west-1"] {
			t.Errorf("got %d requests for %v, want %d for eu-west-1", g.count(), regions, attempts)
		}
		if n := trapped.Load(); n != 0 {
			t.Errorf("%d requests went where the environment says", n)
		}
	})
	t.Run("without endpoint_url it is the public endpoint of the region", func(t *testing.T) {
		plainEnvironment(t)
		hostileEnvironment(t)
		c := testConfig("")
		var went hosts
		in := &secretsmanager.DescribeSecretInput{SecretId: new(string)}
		bases, err := newBases(c)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{delay: soon{}, bases: bases}
		_, _ = newClient(c, o).DescribeSecret(t.Context(), in, func(o *secretsmanager.Options) { o.HTTPClient = &went })
		_, _ = newSTS(c, o, newIdentity(c, o)).GetCallerIdentity(t.Context(), nil, func(o *sts.Options) { o.HTTPClient = &went })
		wantStrings(t, "asked", slices.Compact(went), "https://secretsmanager.eu-west-1.amazonaws.com", "https://sts.eu-west-1.amazonaws.com")
	})
	t.Run("what the SDK can't read is denied, and named", func(t *testing.T) {
		r := newIdentityRig(t)
		t.Setenv("AWS_MAX_ATTEMPTS", "canaryNotANumber")
		err := r.inspect(t)
		wantError(t, err, sink.ErrDenied)
		wantNoCanary(t, err, []string{"canaryNotANumber"})
		if err == nil || !strings.Contains(err.Error(), "AWS_* variables") {
			t.Errorf("got %v, want the way out in it", err)
		}
	})
}

// hosts notes where requests go and answers none.
type hosts []string

func (h *hosts) Do(r *http.Request) (*http.Response, error) {
	*h = append(*h, r.URL.Scheme+"://"+r.URL.Host)
	return nil, http.ErrHandlerTimeout
}

// hostileEnvironment sets all that could lead the SDK elsewhere, and counts
// what arrives there.
func hostileEnvironment(t *testing.T) *atomic.Int64 {
	t.Helper()
	var trapped atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { trapped.Add(1) }))
	t.Cleanup(trap.Close)
	file := filepath.Join(t.TempDir(), "config")
	content := fmt.Sprintf(`[default]
region = us-east-1
endpoint_url = %[1]s
services = all
use_fips_endpoint = true
retry_mode = adaptive
max_attempts = 9
defaults_mode = auto
[services all]
secrets_manager =
  endpoint_url = %[1]s
sts =
  endpoint_url = %[1]s
[profile robot]
role_arn = %[2]s
source_profile = keys
endpoint_url = %[1]s
[profile keys]
aws_access_key_id = AKIAPROFILE000000001
aws_secret_access_key = %[3]s
endpoint_url = %[1]s
`, trap.URL, roleARN, testKey)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte(hostileCA), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": file, "AWS_CA_BUNDLE": ca,
		"AWS_ENDPOINT_URL": trap.URL, "AWS_ENDPOINT_URL_SECRETS_MANAGER": trap.URL, "AWS_ENDPOINT_URL_STS": trap.URL,
		"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true",
		"AWS_RETRY_MODE": "adaptive", "AWS_MAX_ATTEMPTS": "9", "AWS_DEFAULTS_MODE": "auto", "AWS_NEW_RETRIES_2026": "true",
		"AWS_STS_REGIONAL_ENDPOINTS": "legacy",
	} {
		t.Setenv(name, value)
	}
	return &trapped
}

func noKeys(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		t.Setenv(name, "")
	}
}

func webIdentity(t *testing.T) {
	t.Helper()
	noKeys(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("canary.web.identity"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file)
	t.Setenv("AWS_ROLE_ARN", roleARN)
}

func wantStrings(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s %q, want %q", what, got, want)
	}
}

// hostileCA is the certificate of an authority that nobody should trust.
const hostileCA = `-----BEGIN CERTIFICATE-----
MIIBejCCASGgAwIBAgIUY7+P34u20C7beOe7trLq9skOz7AwCgYIKoZIzj0EAwIw
EjEQMA4GA1UEAwwHaG9zdGlsZTAgFw0yNjExMjMwMTQ5MjJaGA8yMTI2MTAzMDAx
NDkyMlowEjEQMA4GA1UEAwwHaG9zdGlsZTBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABDgOAYGfodK4rbF766c0Aw92ilY25FqD3iAle0A2aZrG4CvBafZjInljCBIE
vabizdBwO5U7DdnrmhZj+JFPt1ajUzBRMB0GA1UdDgQWBBRKTNML33bc74y8Ernd
wCoqwLEo8jAfBgNVHSMEGDAWgBRKTNML33bc74y8ErndwCoqwLEo8jAPBgNVHRMB
Af8EBTADAQH/MAoGCCqGSM49BAMCA0cAMEQCICCYfOHVwQ05toR1b/yd+Zano7BL
8ag1bNCj5xTtvFgVAiB8nFxjwa7lFgvbHDajbH6gCjF0DHeqFwiuGHQmnGwfdA==
-----END CERTIFICATE-----`
