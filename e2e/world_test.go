package e2e

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// instance is the owner mark of all that the tests let credsync write.
const instance = "e2e"

// maxRun is how long a command may take.
const maxRun = 3 * time.Minute

// A settings is a part of the configuration, which JSON is good enough for.
type settings map[string]any

// A world is an Amazon, servers for secrets, and a credsync that is configured
// to know them all, in one job. It is written anew for each command, so that
// tests change it as they like.
type world struct {
	*testing.T
	dir    string
	amazon *amazon
	source settings
	job    settings
	sinks  map[string]settings
	more   settings // at the top of the configuration
	env    []string
	stores []store
}

// newWorld returns a world with an Amazon of so many skills and no sink.
func newWorld(t *testing.T, skills int) *world {
	t.Helper()
	t.Parallel()
	return loneWorld(t, skills)
}

// loneWorld is newWorld for a test that nothing runs beside.
func loneWorld(t *testing.T, skills int) *world {
	t.Helper()
	dir := t.TempDir()
	a := startAmazon(t, skills, dir)
	return &world{
		T: t, dir: dir, amazon: a, sinks: make(map[string]settings),
		source: settings{
			"client_id": a.client.ClientID, "client_secret": file("client-secret"), "refresh_token": file("refresh-token"),
			"api_url": a.url, "token_url": a.url + "/auth/o2/token", "requests_per_second": 1000, "max_requests_per_second": 1000,
		},
		job:  settings{"source": "amazon", "skills": file("skills.txt"), "schedule": "* * * * *"},
		more: settings{"instance": instance, "state_dir": "state", "audit": file("audit.jsonl")},
		env:  environment(dir, "AWS_ACCESS_KEY_ID="+awsKeyID, "AWS_SECRET_ACCESS_KEY="+awsSecret, "AWS_EC2_METADATA_DISABLED=true"),
	}
}

func file(path string) settings { return settings{"file": path} }

// withVault adds a Vault as the sink "vault", with a token of the policy that
// credsync prints.
func (w *world) withVault() *vault {
	w.Helper()
	v := startVault(w.T)
	w.sinks["vault"] = settings{"vault_kv": settings{
		"address": v.url, "path": "alexa/{skill_id}", "auth": settings{"token": file("vault-token")},
	}}
	w.write("vault-token", v.token(w.policy("vault")))
	w.stores = append(w.stores, v)
	return v
}

// withAWS adds a moto as the sink "aws".
func (w *world) withAWS() *aws {
	w.Helper()
	a := startAWS(w.T)
	w.sinks["aws"] = settings{"aws_secrets_manager": settings{
		"region": region, "name": "alexa/{skill_id}", "endpoint_url": a.URL, "tags": map[string]string{"team": "voice"},
	}}
	w.stores = append(w.stores, a)
	return a
}

// gateVault puts a gate between credsync and v.
func (w *world) gateVault(v *vault) *gate {
	w.Helper()
	g := newGate(w.T, v.url, vaultCall)
	w.vaultSink()["address"] = g.URL
	return g
}

// gateAmazon puts a gate between credsync and Amazon.
func (w *world) gateAmazon() *gate {
	w.Helper()
	g := newGate(w.T, w.amazon.url, amazonCall)
	w.source["api_url"], w.source["token_url"] = g.URL, g.URL+"/auth/o2/token"
	return g
}

// vaultSink returns the settings of the sink "vault".
func (w *world) vaultSink() settings { return w.sinks["vault"]["vault_kv"].(settings) }

// secretName is where both servers keep the pair of a skill.
func secretName(skill string) string { return "alexa/" + skill }

// write writes a file that others can't read.
func (w *world) write(name, content string) string {
	w.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		w.Fatal(err)
	}
	return path
}

func (w *world) read(name string) string {
	w.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		w.Fatal(err)
	}
	return string(b)
}

// configure writes the configuration and returns its path.
func (w *world) configure() string {
	w.Helper()
	job := maps.Clone(w.job)
	if job["sinks"] == nil {
		names := []string{}
		for name := range w.sinks {
			names = append(names, name)
		}
		job["sinks"] = names
	}
	all := settings{"sources": settings{"amazon": settings{"smapi": w.source}}, "sinks": w.sinks, "jobs": settings{"job": job}}
	maps.Copy(all, w.more)
	return w.write("e2e.yaml", encode(w.T, all))
}

// A run is a command that has ended.
type run struct {
	code           int
	stdout, stderr string
	took           time.Duration
}

// command returns credsync with this world's configuration.
func (w *world) command(ctx context.Context, args ...string) *exec.Cmd {
	w.Helper()
	cmd := exec.CommandContext(ctx, program(w.T, "credsync"), append([]string{"-c", w.configure()}, args...)...)
	cmd.Dir, cmd.Env = w.dir, w.env
	return cmd
}

// credsync runs a command to its end.
func (w *world) credsync(args ...string) run {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), maxRun)
	defer cancel()
	cmd := w.command(ctx, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	begin := time.Now()
	err := cmd.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended || ctx.Err() != nil {
		w.Fatalf("credsync %s: %v\n%s", strings.Join(args, " "), err, tail(stderr.String()))
	}
	return run{
		code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(begin),
	}
}
