package e2e

import (
	"fmt"
	"os/exec"
	"testing"
)

// A pair is what Amazon issues for a skill and every sink has to hold.
type pair struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
}

// An amazon is an emulator in a process of its own.
type amazon struct {
	*testing.T
	url    string
	client client
}

// A client is what the emulator gives a developer to ask with.
type client struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RefreshToken string `json:"refresh_token"`
	Vendor       string `json:"vendor"`
}

// startAmazon starts an emulator, which writes its secret files and skills.txt
// to dir.
func startAmazon(t *testing.T, skills int, dir string) *amazon {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "credsync"), "emulator", "--skills", fmt.Sprint(skills), "--dir", dir)
	cmd.Env = environment(dir)
	a := &amazon{T: t, url: start(t, cmd).says(`Serving \d+ skills at (http://[0-9.:]+)`)}
	a.control("GET", "client", nil, &a.client)
	return a
}

// control asks the emulator's own face: see /emulator/ for what it can.
func (a *amazon) control(method, path string, body, out any) {
	a.Helper()
	ask{method: method, url: a.url + "/emulator/" + path, body: body}.must(a.T, out)
}

// skills returns the IDs of all skills, oldest first.
func (a *amazon) skills() (ids []string) {
	a.Helper()
	var answer struct {
		Skills []struct{ Skill string }
	}
	a.control("GET", "skills", nil, &answer)
	for _, s := range answer.Skills {
		ids = append(ids, s.Skill)
	}
	return ids
}

func (a *amazon) pair(skill string) (p pair) {
	a.Helper()
	a.control("GET", "skills/"+skill, nil, &p)
	return p
}

func (a *amazon) set(skill string, p pair) {
	a.Helper()
	a.control("PUT", "skills/"+skill, p, nil)
}

// rotate renews the secrets of the n skills that have waited longest.
func (a *amazon) rotate(n int) []string {
	a.Helper()
	var answer struct{ Skills []string }
	a.control("POST", fmt.Sprintf("rotate?n=%d", n), nil, &answer)
	return answer.Skills
}

// fault makes the emulator misbehave.
func (a *amazon) fault(f map[string]any) {
	a.Helper()
	a.control("POST", "faults", f, nil)
}

// asked counts the requests of an operation since the last forget.
func (a *amazon) asked(operation string) (n int) {
	a.Helper()
	var answer struct {
		ByOperation map[string]map[string]int `json:"by_operation"`
	}
	a.control("GET", "requests", nil, &answer)
	for _, times := range answer.ByOperation[operation] {
		n += times
	}
	return n
}

func (a *amazon) forget() { a.control("DELETE", "requests", nil, nil) }
