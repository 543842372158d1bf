package awssm

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// What moto counts, tells and signs by itself.
func TestCallsOnMoto(t *testing.T) {
	plainEnvironment(t)
	u := motoURL(t)
	var calls []string
	proxy := httputil.NewSingleHostReverseProxy(u)
	g := &gate{backend: proxy, instead: func(_ http.ResponseWriter, q *http.Request) bool {
		calls = append(calls, operationOf(q)+" by "+signer(q)[:4])
		return false
	}}
	c := testConfig(g.open(t))
	c.RoleARN, c.ExternalID = roleARN, externalID
	s, err := Open(c, Options{sts: u.String(), delay: soon{}})
	if err != nil {
		t.Fatal(err)
	}
	took := func(want string) {
		t.Helper()
		if got := strings.Join(calls, ", "); got != want {
			t.Errorf("got %s; want %s", got, want)
		}
		calls = nil
	}
	put := func(n int, instance, value string) sink.State {
		t.Helper()
		skill := credential.SkillID(fmt.Sprintf("amzn1.ask.skill.00000000-0000-4000-8000-%012d", n))
		r := recordAt(t, "alexa/"+string(skill), skill, value)
		r.Owner.Instance = instance
		prev, err := s.Inspect(t.Context(), "alexa/"+string(skill))
		if err != nil {
			t.Fatal(err)
		}
		state, err := s.Put(t.Context(), "alexa/"+string(skill), r, prev)
		if err != nil {
			t.Fatal(err)
		}
		return state
	}
	list := func(want int) {
		t.Helper()
		s.recent.forget()
		states, err := listed(t.Context(), s, "prod")
		if err != nil || len(states) != want {
			t.Errorf("got %d states and %v, want %d", len(states), err, want)
		}
	}

	put(1, "prod", "a")
	took("DescribeSecret by ASIA, CreateSecret by ASIA")
	put(1, "prod", "b")
	took("DescribeSecret by ASIA, PutSecretValue by ASIA, UpdateSecretVersionStage by ASIA")
	put(1, "prod", "a")
	took("DescribeSecret by ASIA, PutSecretValue by ASIA, UpdateSecretVersionStage by ASIA")
	if got := newMoto(u).stored(t, name); got.Versions != 2 || got.Body != recordOf(t, "a").Body.Reveal() {
		t.Errorf("from A to B to A: got %+v, want A in two versions", got)
	}
	for n := 2; n <= 100; n++ {
		put(n, "prod", "a")
	}
	put(501, "prod2", "a")
	calls = nil
	list(100)
	// prod2 is narrowed out by us alone: moto, as AWS, lists it too, on a second page.
	took("ListSecrets by ASIA, ListSecrets by ASIA")
	for n := 101; n <= 250; n++ {
		put(n, "prod", "a")
	}
	calls = nil
	list(250)
	took("ListSecrets by ASIA, ListSecrets by ASIA, ListSecrets by ASIA")
	if advice, err := s.Check(t.Context()); err != nil || len(advice) != 0 {
		t.Errorf("Check: got %q and %v", advice, err)
	}
	took("ListSecrets by ASIA, DescribeSecret by ASIA")
}

func TestHundredUnchangedOnMoto(t *testing.T) {
	plainEnvironment(t)
	g := &gate{backend: httputil.NewSingleHostReverseProxy(motoURL(t))}
	s := openTest(t, testConfig(g.open(t)))
	r := &rig{T: t, sink: s, fake: newFake()}
	r.fill(100)
	before := g.count()
	states, err := listed(t.Context(), s, "prod")
	if err != nil || len(states) != 100 || g.count()-before != 1 {
		t.Errorf("got %d states by %d calls and %v, want 100 by one", len(states), g.count()-before, err)
	}
	for name, state := range states {
		if record := recordAt(t, name, state.Owner.Skill, "a"); state.Fingerprint != record.Fingerprint {
			t.Errorf("%s: got fingerprint %s, want %s", name, state.Fingerprint, record.Fingerprint)
		}
	}
}
