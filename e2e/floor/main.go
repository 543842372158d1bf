// Command floor makes the HTTP calls of a run of credsync into Vault, as many at
// once, and nothing else: it decides nothing, checks nothing and keeps nothing.
// What credsync takes beyond it is what credsync costs.
//
// Settings come in the environment, because others can read arguments: API_URL,
// CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, VAULT_URL, VAULT_TOKEN, PREFIX (of the
// names in Vault), CONCURRENCY. It reads skill IDs from standard input. With the
// argument fill it makes the calls for new secrets, else those for what is
// unchanged.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
)

func main() {
	if err := run(len(os.Args) > 1 && os.Args[1] == "fill"); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(fill bool) error {
	workers, err := strconv.Atoi(os.Getenv("CONCURRENCY"))
	if err != nil {
		return err
	}
	f := &floor{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers}}, fill: fill}
	if err := f.login(); err != nil {
		return err
	}
	ids := make(chan string)
	faults := make(chan error, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for id := range ids {
				if err := f.skill(id); err != nil {
					faults <- err
					return
				}
			}
		})
	}
	go func() { wg.Wait(); close(faults) }()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		select {
		case ids <- lines.Text():
		case err := <-faults:
			return err
		}
	}
	close(ids)
	return <-faults
}

type floor struct {
	client *http.Client
	bearer string
	fill   bool
}

func (f *floor) login() error {
	body, err := f.lwa(url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {os.Getenv("REFRESH_TOKEN")},
		"client_id": {os.Getenv("CLIENT_ID")}, "client_secret": {os.Getenv("CLIENT_SECRET")},
	})
	var token struct {
		Access string `json:"access_token"`
	}
	if err == nil {
		err = json.Unmarshal(body, &token)
	}
	f.bearer = "Bearer " + token.Access
	return err
}

// skill makes the calls for one skill.
func (f *floor) skill(id string) error {
	body, err := f.call("GET", os.Getenv("API_URL")+"/v1/skills/"+id+"/credentials", "Authorization", f.bearer, "", "")
	if err != nil {
		return err
	}
	var answer struct {
		Pair struct {
			ID     string `json:"clientId"`
			Secret string `json:"clientSecret"`
		} `json:"skillMessagingCredentials"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	name := os.Getenv("PREFIX") + id
	if _, err := f.vault("GET", "metadata/"+name, ""); err != nil || !f.fill {
		return err
	}
	if _, err := f.lwa(url.Values{
		"grant_type": {"client_credentials"}, "scope": {"alexa:skill_messaging"},
		"client_id": {answer.Pair.ID}, "client_secret": {answer.Pair.Secret},
	}); err != nil {
		return err
	}
	if _, err := f.vault("POST", "metadata/"+name, `{"custom_metadata":{"credsync_owner":"e2e","credsync_skill":"`+id+`","credsync_version":"0","credsync_fingerprint":"none"}}`); err != nil {
		return err
	}
	if _, err := f.vault("POST", "data/"+name, `{"options":{"cas":0},"data":{"client_id":"`+answer.Pair.ID+`","client_secret":"`+answer.Pair.Secret+`"}}`); err != nil {
		return err
	}
	_, err = f.vault("PATCH", "metadata/"+name, `{"custom_metadata":{"credsync_version":"1","credsync_created":"2026-01-02T03:04:05.123456789Z","credsync_key":"v1-public","credsync_fingerprint":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}`)
	return err
}

func (f *floor) lwa(form url.Values) ([]byte, error) {
	return f.call("POST", os.Getenv("API_URL")+"/auth/o2/token", "", "", "application/x-www-form-urlencoded", form.Encode())
}

func (f *floor) vault(method, path, body string) ([]byte, error) {
	kind := "application/json"
	if method == "PATCH" {
		kind = "application/merge-patch+json"
	}
	return f.call(method, os.Getenv("VAULT_URL")+"/v1/secret/"+path, "X-Vault-Token", os.Getenv("VAULT_TOKEN"), kind, body)
}

// call makes one request and reads the answer to its end. A 404 is an answer.
func (f *floor) call(method, url, header, value, kind, body string) ([]byte, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader([]byte(body))) //nolint:gosec // it asks whom it is told to
	if err != nil {
		return nil, err
	}
	if header != "" {
		req.Header.Set(header, value)
	}
	if body != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := f.client.Do(req) //nolint:gosec // as above
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotFound {
		err = fmt.Errorf("%s %s: status %d: %s", method, req.URL.Path, resp.StatusCode, answer)
	}
	return answer, err
}
