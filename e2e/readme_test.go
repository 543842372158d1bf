package e2e

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheWalkInTheREADMEWorks does what the README says, with its own texts. Only
// what is its reader's own is put in place: addresses and secrets.
func TestTheWalkInTheREADMEWorks(t *testing.T) {
	text := document(t, "README.md")
	w := newWorld(t, 4)
	v, a := startVault(t), startAWS(t)
	w.stores = []store{v, a}
	config := part(t, text, "(?s)```yaml\n(.*?)```")
	for pattern, own := range map[string]string{
		`client_id: .*`:      "client_id: " + w.amazon.client.ClientID,
		`( +)(smapi:)`:       "${1}${2}\n${1}  api_url: " + w.amazon.url + "\n${1}  token_url: " + w.amazon.url + "/auth/o2/token",
		`https://vault\.\S+`: v.url,
		`( +)(region: \S+)`:  "${1}${2}\n${1}endpoint_url: " + a.URL,
	} {
		config = replace(t, config, pattern, own)
	}
	w.write("credsync.yaml", config)
	w.write("lwa-client-secret", w.amazon.client.ClientSecret+"\n") // as cat > FILE leaves it
	w.logIn(part(t, text, "```sh\n(credsync login .*)\n```"))
	printed := w.sh(part(t, text, `(?m)^(credsync \S+ \S+ policy vault) \| vault policy write credsync -$`))
	for _, place := range []string{"README.md", "docs/vault.md"} {
		if diff := cmp.Diff(part(t, document(t, place), "(?s)```hcl\n(.*?)```"), printed.stdout); diff != "" || printed.code != 0 {
			t.Errorf("the policy for Vault (-%s +printed):\n%s%s", place, diff, printed.stderr)
		}
	}
	w.write("vault-token", v.token(printed.stdout)+"\n")
	w.wantInDocs(a)
	walk := func(line string) (r run) {
		a.enforced(func() { r = w.sh(line) })
		return r
	}

	listed := w.sh(part(t, text, "`(credsync [^`]*skills [^`]*)`"))
	if listed.code != 0 {
		t.Fatalf("the skills of the account: exit code %d\n%s", listed.code, listed.stderr)
	}

	codes := map[string]int{"check": 0, "plan": 5, "sync": 0}
	done := 0
	steps := part(t, text, "(?s)### 5.*?```sh\n(.*?)```")
	for line := range strings.Lines(steps) {
		command := regexp.MustCompile(`credsync.yaml (\w+)`).FindStringSubmatch(line)
		if command == nil || command[1] == "run" {
			continue
		}
		want, known := codes[command[1]]
		if got := walk(line); got.code != want || !known {
			t.Errorf("%s: exit code %d, want %d\n%s%s", line, got.code, want, got.stdout, got.stderr)
		}
		done++
	}
	if done < len(codes) {
		t.Errorf("only %d of the steps were found", done)
	}
	w.holds()

	w.amazon.rotate(1)
	v.alter(w.amazon.skills()[2])
	v.remove(w.amazon.skills()[3])
	if got := walk("credsync -c credsync.yaml sync"); got.code != 0 {
		t.Errorf("the policy of the README is not enough:\n%s%s", got.stdout, got.stderr)
	}
	w.holds()
}

// logIn gets a refresh token by a command line of the README, with a person at
// the browser.
func (w *world) logIn(line string) {
	w.Helper()
	if err := os.Remove(filepath.Join(w.dir, "refresh-token")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.Fatal(err)
	}
	port := freePort(w.T)
	w.amazon.control("POST", "returns?url="+url.QueryEscape("http://127.0.0.1:"+port+"/cb"), nil, nil)
	line = replace(w.T, line, `amzn1\.\S+`, w.amazon.client.ClientID)
	line += " --port " + port + " --authorize-url " + w.amazon.url + "/ap/oa --token-url " + w.amazon.url + "/auth/o2/token --api-url " + w.amazon.url
	cmd := exec.CommandContext(w.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env = w.dir, append(w.env, "PATH="+filepath.Dir(program(w.T, "credsync"))+":"+os.Getenv("PATH"), "BROWSER=true")
	login := start(w.T, cmd)
	page := login.says(`(?m)^(http\S+/ap/oa\S+)$`)
	login.says(`Waiting for`)
	resp, err := http.PostForm(page, url.Values{"decision": {"allow"}}) // and goes where it is sent
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "Go back to the terminal") {
		w.Errorf("the browser shows %s, err = %v", body, err)
	}
	<-login.ended
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		w.Fatalf("login: exit code %d\n%s", code, login.out.String())
	}
}

// freePort returns a port on loopback where nobody listens.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// wantInDocs wants docs/aws.md to show what the README's configuration needs, and
// has credsync go on as somebody who may do that and no more.
func (w *world) wantInDocs(a *aws) {
	w.Helper()
	printed := w.sh("credsync -c credsync.yaml policy aws")
	if diff := cmp.Diff(part(w.T, document(w.T, "docs/aws.md"), "(?s)```json\n(.*?)```"), printed.stdout); diff != "" || printed.code != 0 {
		w.Errorf("the policy for AWS (-docs/aws.md +printed):\n%s%s", diff, printed.stderr)
	}
	var p iamPolicy
	decode(w.T, []byte(printed.stdout), &p)
	w.env = append(w.env, a.user(p.actions()...)...)
}

func TestTheDemoNeedsNothing(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), program(t, "credsync"), "demo")
	cmd.Env, cmd.Dir = environment(t.TempDir()), t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, want := range []string{"25 created", "2 updated", "23 unchanged"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the demo does not say %q:\n%s", want, out)
		}
	}
}

// document returns a document of the project.
func document(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// part returns what the first group of pattern matches in text.
func part(t *testing.T, text, pattern string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("the text has no %s", pattern)
	}
	return found[1]
}

func replace(t *testing.T, text, pattern, with string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	if !re.MatchString(text) {
		t.Fatalf("the configuration in README.md has no %s", pattern)
	}
	return re.ReplaceAllString(text, with)
}

// sh runs a line of the README in the world's directory.
func (w *world) sh(line string) run {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), "sh", "-c", line)
	cmd.Dir = w.dir
	cmd.Env = append(w.env, "PATH="+filepath.Dir(program(w.T, "credsync"))+":"+os.Getenv("PATH"))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		w.Fatal(err)
	}
	return run{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
}
