package smapi

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/wire"
)

func TestConfigDefaults(t *testing.T) {
	var c Config
	if got, want := []any{c.apiURL(), c.tokenURL(), c.startRate(), c.maxRate(), c.Workers(), c.Verifies()},
		[]any{"https://api.amazonalexa.com", "https://api.amazon.com/auth/o2/token", 5.0, 50.0, 8, true}; !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	no := false
	if (Config{Verify: &no}).Verifies() {
		t.Error("verify: false has no effect")
	}
	if got := (Config{MaxRequestsPerSecond: 2}).startRate(); got != 2 {
		t.Errorf("got %v where the default start is above the limit, want 2", got)
	}
}

func TestConfigReadsItsKeys(t *testing.T) {
	const text = `
client_id: a
client_secret: {file: b}
refresh_token: {credential: c}
api_url: https://d
token_url: https://e
authorize_url: https://f
requests_per_second: 1.5
max_requests_per_second: 2.5
concurrency: 3
verify: false
tls: {ca_file: f, server_name: g}
proxy: {url: http://h, username: i, password: {env: J}}
`
	var got Config
	if err := yaml.Load([]byte(text), &got, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	no := false
	want := Config{"a", credential.Ref{File: "b"}, credential.Ref{Credential: "c"}, "https://d", "https://e", "https://f", 1.5, 2.5, 3, &no, wire.TLS{CAFile: "f", ServerName: "g"}, wire.Proxy{URL: "http://h", Username: "i", Password: credential.Ref{Env: "J"}}}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func TestConfigFaults(t *testing.T) {
	good := Config{ClientID: ourID, ClientSecret: credential.Ref{File: "a"}, RefreshToken: credential.Ref{Env: "B"}}
	tests := map[string]struct {
		change func(*Config)
		want   []string // the fields that are at fault
	}{
		"none":             {func(*Config) {}, nil},
		"one name for two": {func(c *Config) { c.TLS.ServerName = "a" }, []string{"tls.server_name"}},
		"one host":         {func(c *Config) { c.TLS.ServerName, c.APIURL, c.TokenURL = "a", "https://h/api", "https://h/token" }, nil},
		"a proxy of none":  {func(c *Config) { c.Proxy.Username = "a" }, []string{"proxy.url", "proxy.password"}},
		"nothing set":      {func(c *Config) { *c = Config{} }, []string{"client_id", "client_secret", "refresh_token"}},
		"space in the ID":  {func(c *Config) { c.ClientID = "a b" }, []string{"client_id"}},
		"ID with newline":  {func(c *Config) { c.ClientID = "a\n" }, []string{"client_id"}},
		"ID not ASCII":     {func(c *Config) { c.ClientID = "ä" }, []string{"client_id"}},
		"longest ID":       {func(c *Config) { c.ClientID = strings.Repeat("a", 100) }, nil},
		"ID too long":      {func(c *Config) { c.ClientID = strings.Repeat("a", 101) }, []string{"client_id"}},
		"localhost":        {func(c *Config) { c.APIURL, c.TokenURL = "http://localhost:1/x", "http://127.0.0.1:2" }, nil},
		"IPv6 loopback":    {func(c *Config) { c.APIURL = "http://[::1]:80" }, nil},
		"European host":    {func(c *Config) { c.APIURL = "https://api.eu.amazonalexa.com/" }, nil},
		"plain http":       {func(c *Config) { c.APIURL, c.TokenURL = "http://api.amazonalexa.com", "http://10.0.0.1" }, []string{"api_url", "token_url"}},
		"almost loopback":  {func(c *Config) { c.APIURL, c.TokenURL = "http://localhost.example", "http://127.0.0.1.example" }, []string{"api_url", "token_url"}},
		"no scheme":        {func(c *Config) { c.APIURL = "api.amazonalexa.com" }, []string{"api_url"}},
		"no host":          {func(c *Config) { c.APIURL, c.TokenURL = "https:///v1", "https://:443" }, []string{"api_url", "token_url"}},
		"another scheme":   {func(c *Config) { c.APIURL, c.TokenURL = "ftp://x", "file://x/etc/passwd" }, []string{"api_url", "token_url"}},
		"opaque":           {func(c *Config) { c.APIURL = "https:api" }, []string{"api_url"}},
		"broken":           {func(c *Config) { c.APIURL, c.TokenURL = "https://%zz", "https://a b" }, []string{"api_url", "token_url"}},
		"password":         {func(c *Config) { c.APIURL = "https://u:hunter2@x" }, []string{"api_url"}},
		"query, fragment":  {func(c *Config) { c.APIURL, c.TokenURL = "https://x?key=hunter2", "https://x#f" }, []string{"api_url", "token_url"}},
		"empty query":      {func(c *Config) { c.APIURL = "https://x?" }, []string{"api_url"}},
		"negative rates":   {func(c *Config) { c.RequestsPerSecond, c.MaxRequestsPerSecond = -1, -1 }, []string{"requests_per_second", "max_requests_per_second"}},
		"no numbers":       {func(c *Config) { c.RequestsPerSecond, c.MaxRequestsPerSecond = math.NaN(), math.NaN() }, []string{"requests_per_second", "max_requests_per_second"}},
		"infinite rate":    {func(c *Config) { c.MaxRequestsPerSecond = math.Inf(1) }, []string{"max_requests_per_second"}},
		"huge rate":        {func(c *Config) { c.MaxRequestsPerSecond = 10_001 }, []string{"max_requests_per_second"}},
		"tiny rate":        {func(c *Config) { c.RequestsPerSecond = 0.001 }, []string{"requests_per_second"}},
		"start above most": {func(c *Config) { c.RequestsPerSecond, c.MaxRequestsPerSecond = 9, 8 }, []string{"requests_per_second"}},
		"start over 50":    {func(c *Config) { c.RequestsPerSecond = 51 }, []string{"requests_per_second"}},
		"no workers":       {func(c *Config) { c.Concurrency = -1 }, []string{"concurrency"}},
		"too many workers": {func(c *Config) { c.Concurrency = 257 }, []string{"concurrency"}},
		"most workers":     {func(c *Config) { c.Concurrency = 256 }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := good
			tt.change(&c)
			var got []string
			for _, f := range c.Faults() {
				got = append(got, f.Field)
				if f.Problem == "" || f.Hint == "" || strings.Contains(f.Problem+f.Hint, "hunter2") {
					t.Errorf("got fault %+v", f)
				}
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if diff := cmp.Diff(got, tt.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}
