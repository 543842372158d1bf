package e2e

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
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
	prefix string // of its names in Vault
	run    func(c contender, fill bool) cost
}

// throughput lets all contenders run with the same servers, one after the other,
// in rounds. Each has its own names in Vault. First they share the processors with
// the servers, then those that make the same calls have one for themselves.
func (f *findings) throughput(t *testing.T) {
	f.Skills, f.Workers, f.Rounds = size(1000, 10_000), 16, size(2, 5)
	w := loneWorld(t, f.Skills)
	v := w.withVault()
	v.must("DELETE", "sys/audit/file", nil, nil)       // on one disk, Vault's log makes our fsyncs dear
	w.vaultSink()["path"] = "alexa/{label}/{skill_id}" // covers what each contender has
	r := &ring{world: w, vault: v, workers: f.Workers, ids: w.amazon.skills(), token: v.token(w.policy("vault"))}
	w.write("vault-token", r.token)
	w.source["concurrency"], w.source["requests_per_second"], w.source["max_requests_per_second"] = f.Workers, 10_000, 10_000
	w.job["max_changes"] = "100%"
	contenders := []contender{{who: "floor", skills: f.Skills, run: r.floor}, {who: "credsync", skills: f.Skills, run: r.credsync}}
	if _, err := exec.LookPath("node"); err == nil {
		contenders = append(contenders, contender{who: "ask-smapi-sdk in a loop", skills: f.Skills / 10, run: r.loop()})
	}
	ask := filepath.Join(bin, "ask-cli/node_modules/ask-cli/dist/bin/ask.js")
	if _, err := os.Stat(ask); err == nil {
		contenders = append(contenders, contender{who: "ASK CLI, a process a skill", skills: max(5, f.Skills/1000), run: r.commands(ask)})
	}
	f.Throughput, f.Apart = w.races(contenders, f.Rounds, "shared"), nil
	if r.split() {
		f.Apart = w.races(contenders[:2], f.Rounds, "apart")
	}
}

// A ring is where contenders meet.
type ring struct {
	*world
	vault   *vault
	workers int
	ids     []string
	token   string // of Vault, with the rights of the policy that credsync prints
	apart   bool   // contenders run on a processor of their own
}

// split leaves the first processor to the servers and the second to contenders,
// and reports whether there are two, and a program to do it with.
func (r *ring) split() bool {
	if runtime.NumCPU() < 2 {
		return false
	}
	servers, _ := filepath.Glob("/proc/self/task/*/children")
	for _, path := range servers {
		children, _ := os.ReadFile(path) // none where a thread has ended
		for pid := range strings.FieldsSeq(string(children)) {
			if err := exec.Command("taskset", "-acp", "0", pid).Run(); err != nil {
				return false
			}
			r.apart = true
		}
	}
	return r.apart
}

// spend is like the function of that name, for a contender.
func (r *ring) spend(cmd *exec.Cmd, stdin io.Reader) cost {
	r.Helper()
	if r.apart {
		pinned := exec.CommandContext(r.Context(), "taskset", append([]string{"-c", "1", cmd.Path}, cmd.Args[1:]...)...)
		pinned.Dir, pinned.Env = cmd.Dir, cmd.Env
		cmd = pinned
	}
	return spend(r.T, cmd, stdin)
}

func (r *ring) floor(c contender, fill bool) cost {
	cmd := exec.CommandContext(r.Context(), program(r.T, "floor"))
	if fill {
		cmd.Args = append(cmd.Args, "fill")
	}
	return r.simply(cmd, c, r.token)
}

func (r *ring) credsync(c contender, _ bool) cost {
	round := strings.ReplaceAll(c.prefix, "/", "-") // a trail that grows without rotation takes longer to begin with
	r.vaultSink()["path"], r.more["state_dir"], r.more["audit"] = c.prefix+"{skill_id}", round+"state", file(round+"audit.jsonl")
	return r.spend(r.command(r.Context(), "--log-level", "warn", "sync"), nil)
}

// loop runs node/loop.mjs.
func (r *ring) loop() func(contender, bool) cost {
	token := r.simple()
	return func(c contender, _ bool) cost {
		return r.simply(exec.CommandContext(r.Context(), "node", "node/loop.mjs"), c, token)
	}
}

// commands runs node/commands.mjs, which runs ask.
func (r *ring) commands(ask string) func(contender, bool) cost {
	token := r.simple()
	r.write("cli_config", encode(r.T, settings{"profiles": settings{"default": settings{
		"token":     settings{"access_token": "none", "refresh_token": r.amazon.client.RefreshToken, "token_type": "bearer", "expires_in": 0, "expires_at": time.Unix(0, 0)},
		"vendor_id": "none",
	}}, "machineId": "none", "shareUsage": false}))
	home := filepath.Join(r.dir, ".ask")
	if err := os.Symlink(".", home); err != nil {
		r.Fatal(err)
	}
	return func(c contender, _ bool) cost {
		cmd := exec.CommandContext(r.Context(), "node", "node/commands.mjs")
		cmd.Env = []string{
			"ASK=" + ask, "HOME=" + r.dir, "ASK_SHARE_USAGE=false", "ASK_SKIP_NEW_VERSION_REMINDER=true",
			"ASK_SMAPI_SERVER_BASE_URL=" + r.amazon.url, "ASK_LWA_TOKEN_HOST=" + r.amazon.url,
			"ASK_LWA_CLIENT_ID=" + r.amazon.client.ClientID, "ASK_LWA_CLIENT_CONFIRMATION=" + r.amazon.client.ClientSecret,
		}
		return r.simply(cmd, c, token)
	}
}

// simple returns a token for those who claim nothing before they write.
func (r *ring) simple() string {
	r.vault.must("PUT", "sys/policies/acl/simple", settings{"policy": `path "secret/data/alexa/*" { capabilities = ["create", "update"] }`}, nil)
	return r.vault.fresh(settings{"policies": []string{"simple"}}).ClientToken
}

// simply runs cmd with the settings that all but credsync have.
func (r *ring) simply(cmd *exec.Cmd, c contender, token string) cost {
	cmd.Env = append(append(os.Environ(), "API_URL="+r.amazon.url, "CLIENT_ID="+r.amazon.client.ClientID,
		"CLIENT_SECRET="+r.amazon.client.ClientSecret, "REFRESH_TOKEN="+r.amazon.client.RefreshToken,
		"VAULT_URL="+r.vault.url, "VAULT_TOKEN="+token, "PREFIX="+c.prefix, "CONCURRENCY="+strconv.Itoa(r.workers)), cmd.Env...)
	return r.spend(cmd, strings.NewReader(strings.Join(r.ids[:c.skills], "\n")+"\n"))
}

// races lets contenders fill Vault below prefix and find nothing changed, in rounds.
func (w *world) races(contenders []contender, rounds int, prefix string) []standing {
	disciplines := []string{"first fill", "nothing changed"}
	type key struct{ discipline, who string }
	rate, cpu, ratio, peak := map[key][]float64{}, map[key][]float64{}, map[key][]float64{}, map[key]int64{}
	for round := range rounds {
		for d, discipline := range disciplines {
			floor := 0.0
			for i := range contenders {
				c := contenders[i]
				c.prefix = fmt.Sprintf("alexa/%s-%d-%d/", prefix, round, i)
				spent := c.run(c, d == 0)
				k := key{discipline, c.who}
				r := float64(c.skills) / spent.took.Seconds()
				if i == 0 {
					floor = r
				}
				w.Logf("%s, round %d, %s: %s %.0f skills/s", prefix, round+1, discipline, c.who, r)
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
