package e2e

import (
	"bytes"
	"os/exec"
	"slices"
	"strconv"
	"testing"
)

// TestEightProcessesShareAList runs the pods of an indexed job side by side, on
// one Vault and one audit file.
func TestEightProcessesShareAList(t *testing.T) {
	const shards, skills = 8, 200
	w := newWorld(t, skills)
	v := w.withVault()
	w.configure()

	w.shards(shards, "created", skills)
	w.holds()
	_, mark := v.requests(0)
	w.shards(shards, "unchanged", skills)
	seen, _ := v.requests(mark)
	if n := counts(seen)["read metadata"]; n != skills {
		t.Errorf("Vault's metadata were read %d times for %d skills", n, skills)
	}

	before := w.versions()
	w.job["max_changes"] = "100%"
	w.configure()
	rotated := w.amazon.rotate(40)
	owners := w.shards(shards, "unchanged", skills-len(rotated))
	w.wantVersions(before, rotated...)
	w.holds()
	w.verifyAudit()

	// Where a skill belongs stays, whatever else is on the list.
	w.write("skills.txt", rotated[0]+"\n"+rotated[1]+"\n")
	for skill, shard := range w.shards(shards, "unchanged", 2) {
		if shard != owners[skill] {
			t.Errorf("%s went from shard %d to %d", skill, owners[skill], shard)
		}
	}
}

// shards runs a process for each shard, all at once. Each has to end well, and n
// results to be of the given outcome. It returns which shard had which skill.
func (w *world) shards(count int, outcome string, n int) map[string]int {
	w.Helper()
	type pod struct {
		*exec.Cmd
		stdout, stderr bytes.Buffer
	}
	pods := make([]pod, count)
	for i := range pods {
		p := &pods[i]
		p.Cmd = exec.CommandContext(w.Context(), program(w.T, "credsync"), "-c", "e2e.yaml", "sync", "-o", "json")
		p.Dir, p.Env = w.dir, slices.Concat(w.env, []string{"JOB_COMPLETION_INDEX=" + strconv.Itoa(i), "CREDSYNC_SHARDS=" + strconv.Itoa(count)})
		p.Stdout, p.Stderr = &p.stdout, &p.stderr
		if err := p.Start(); err != nil {
			w.Fatal(err)
		}
	}
	owner := make(map[string]int)
	for i := range pods {
		p := &pods[i]
		_ = p.Wait() // the code tells
		r := w.parse(run{code: p.ProcessState.ExitCode(), stdout: p.stdout.String(), stderr: p.stderr.String()})
		if r.code != 0 || len(r.Orphans) > 0 {
			w.Errorf("shard %d: exit code %d, %d orphans\n%s", i, r.code, len(r.Orphans), tail(r.stderr))
		}
		n -= r.Outcomes[outcome]
		for _, res := range r.Results {
			if other, twice := owner[res.Skill]; twice {
				w.Errorf("%s belongs to shards %d and %d", res.Skill, other, i)
			}
			owner[res.Skill] = i
		}
	}
	if n != 0 {
		w.Errorf("%d more %s results wanted", n, outcome)
	}
	return owner
}
