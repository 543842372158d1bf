package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var shell = regexp.MustCompile("(?s)```sh\n(.*?)```")

// TestTheSetupsInTheDocsWork does what docs/vault.md says for a login, with its own
// commands: as requests, since Vault's command line is nothing but that. Where the
// cluster is, is the reader's own.
func TestTheSetupsInTheDocsWork(t *testing.T) {
	text := document(t, "docs/vault.md")
	done := make(map[string]bool)
	for _, block := range shell.FindAllStringSubmatch(text, -1) {
		enabled := regexp.MustCompile(`vault auth enable (\w+)`).FindStringSubmatch(block[1])
		if enabled == nil {
			continue
		}
		kind := enabled[1]
		done[kind] = true
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t, 2)
			v := w.withVault()
			if kind == "cert" {
				v = w.overTLS()
			}
			in := waysIn[kind](w, v)
			for line := range strings.SplitSeq(strings.ReplaceAll(block[1], "\\\n", ""), "\n") {
				w.vaultCLI(v, strings.Fields(line))
			}
			w.vaultSink()["auth"] = settings{kind: in.auth}
			in.good()
			v.grant(w.policy("vault"))
			w.wantSync(0, map[string]int{"created": 2})
			w.holds()
		})
	}
	if !done["kubernetes"] || !done["cert"] {
		t.Errorf("the setups that were found are %v", done)
	}
}

// vaultCLI does what a command of Vault's own would do.
func (w *world) vaultCLI(v *vault, words []string) {
	w.Helper()
	switch {
	case len(words) == 0:
	case strings.Join(words[:2], " ") == "vault auth": // the method is there already
	case strings.HasSuffix(words[2], "/config"):
	case strings.Join(words[:2], " ") == "vault write":
		body := settings{}
		for _, word := range words[3:] {
			key, value, _ := strings.Cut(word, "=")
			if path, ok := strings.CutPrefix(value, "@"); ok {
				b, err := os.ReadFile(filepath.Join(w.dir, path))
				if err != nil {
					w.Fatal(err)
				}
				value = string(b)
			}
			body[key] = value
		}
		if status, answer := v.ask("POST", words[2], body).do(w.T); status >= http.StatusMultipleChoices {
			w.Errorf("%s: %d %s", strings.Join(words, " "), status, answer)
		}
	default:
		w.Errorf("what is %q?", strings.Join(words, " "))
	}
}
