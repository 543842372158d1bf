package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A standing is what one contender did in one discipline.
type standing struct {
	Discipline, Who string
	Skills          int
	Rate            spread // skills a second
	CPU             spread // milliseconds of a processor per skill
	Peak            int64
	Ratio           spread // of its rate to that of the floor in the same round
}

// A contender brings pairs from Amazon to Vault.
type contender struct {
	who    string
	skills int
	prefix string
	run    func(c contender, fill bool) cost
}

// throughput lets all contenders run with the same servers, one after the other,
// in rounds. Each has its own names in Vault.
func (f *findings) throughput(t *testing.T) {
	f.Skills, f.Workers, f.Rounds = size(1000, 10_000), 16, size(2, 5)
	w := loneWorld(t, f.Skills)
	v := w.withVault()
	w.vaultSink()["path"] = "alexa/{label}/{skill_id}" // covers what each contender has
	token := v.token(w.policy("vault"))
	w.write("vault-token", token)
	w.source["concurrency"], w.source["requests_per_second"], w.source["max_requests_per_second"] = f.Workers, 10_000, 10_000
	w.job["max_changes"] = "100%"
	ids := w.amazon.skills()
	list := func(n int) io.Reader { return strings.NewReader(strings.Join(ids[:n], "\n") + "\n") }
	with := func(cmd *exec.Cmd, c contender) *exec.Cmd {
		cmd.Env = append(os.Environ(), "API_URL="+w.amazon.url, "CLIENT_ID="+w.amazon.client.ClientID,
			"CLIENT_SECRET="+w.amazon.client.ClientSecret, "REFRESH_TOKEN="+w.amazon.client.RefreshToken,
			"VAULT_URL="+v.url, "VAULT_TOKEN="+token, "PREFIX="+c.prefix, "CONCURRENCY="+strconv.Itoa(f.Workers))
		return cmd
	}
	contenders := []contender{
		{who: "floor", skills: f.Skills, run: func(c contender, fill bool) cost {
			cmd := exec.CommandContext(t.Context(), program(t, "floor"))
			if fill {
				cmd.Args = append(cmd.Args, "fill")
			}
			return spend(t, with(cmd, c), list(c.skills))
		}},
		{who: "credsync", skills: f.Skills, run: func(c contender, _ bool) cost {
			w.vaultSink()["path"] = c.prefix + "{skill_id}"
			return spend(t, w.command(t.Context(), "--log-level", "warn", "sync"), nil)
		}},
	}
	if node, err := exec.LookPath("node"); err == nil {
		script, err := filepath.Abs("node/loop.mjs")
		if err != nil {
			t.Fatal(err)
		}
		contenders = append(contenders, contender{who: "ask-smapi-sdk in a loop", skills: f.Skills / 10, run: func(c contender, _ bool) cost {
			return spend(t, with(exec.CommandContext(t.Context(), node, script), c), list(c.skills))
		}})
	}
	f.Throughput = w.races(contenders, f.Rounds)
}

// races lets contenders fill Vault and find nothing changed, in rounds.
func (w *world) races(contenders []contender, rounds int) []standing {
	disciplines := []string{"first fill", "nothing changed"}
	type key struct{ discipline, who string }
	rate, cpu, ratio, peak := map[key][]float64{}, map[key][]float64{}, map[key][]float64{}, map[key]int64{}
	for round := range rounds {
		for d, discipline := range disciplines {
			floor := 0.0
			for i := range contenders {
				c := contenders[i]
				c.prefix = fmt.Sprintf("alexa/%d-%d/", round, i)
				spent := c.run(c, d == 0)
				k := key{discipline, c.who}
				r := float64(c.skills) / spent.took.Seconds()
				if i == 0 {
					floor = r
				}
				w.Logf("round %d, %s: %s %.0f skills/s", round+1, discipline, c.who, r)
				rate[k], ratio[k] = append(rate[k], r), append(ratio[k], r/floor)
				cpu[k] = append(cpu[k], milliseconds(spent.cpu)/float64(c.skills))
				peak[k] = max(peak[k], spent.peak)
			}
		}
	}
	var all []standing
	for _, discipline := range disciplines {
		for _, c := range contenders {
			k := key{discipline, c.who}
			all = append(all, standing{discipline, c.who, c.skills, spreadOf(rate[k]), spreadOf(cpu[k]), peak[k], spreadOf(ratio[k])})
		}
	}
	return all
}
