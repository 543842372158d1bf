package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

func TestARevokedRefreshTokenIsAskedForOnceAndChangesNothing(t *testing.T) {
	w := newWorld(t, 5)
	w.withVault()
	w.withAWS()
	w.wantSync(0, map[string]int{"created": 10})
	before := w.versions()
	w.amazon.control("POST", "tokens/revoke", nil, nil)
	w.amazon.forget()
	r := w.wantSync(1, map[string]int{"failed": 10})
	for _, res := range r.Results {
		if res.Reason != "denied" {
			t.Errorf("%+v", res)
		}
	}
	if n := w.amazon.asked("token"); n != 1 {
		t.Errorf("Login with Amazon was asked for a token %d times, want once", n)
	}
	t.Log(r.Results[0].Error)
	w.wantVersions(before)
}

func TestABadAnswerNeverReplacesAGoodValue(t *testing.T) {
	w := newWorld(t, 12)
	w.withFiles("{skill_id}.json", nil)
	holders := []holder{w.withVault(), w.withAWS(), folder{w}}
	w.wantSync(0, map[string]int{"created": 36})
	before := w.versions()
	held := w.holds(holders...)
	victim := w.amazon.skills()[3]
	for reason, faults := range map[string][]map[string]any{
		"invalid":   {{"body": "empty_pair"}, {"body": "half_pair"}, {"body": "null"}, {"body": "html"}, {"body": "empty"}, {"body": "wrapped"}},
		"not_found": {{"status": 404}},
		"denied":    {{"status": 403}},
	} {
		for _, fault := range faults {
			fault["operation"], fault["skill"], fault["count"] = "credentials", victim, -1
			w.amazon.fault(fault)
			r := w.wantSync(3, map[string]int{"unchanged": 33, "failed": 3})
			for _, res := range r.troubles() {
				if res.Skill != victim || res.Reason != reason {
					t.Errorf("%v: %+v, want reason %s", fault, res, reason)
				}
			}
			w.amazon.control("DELETE", "faults", nil, nil)
		}
	}

	// A new pair that Login with Amazon itself refuses.
	w.amazon.control("POST", "rotate?skill="+victim, nil, nil)
	w.amazon.fault(map[string]any{"operation": "verify", "skill": victim, "status": 401, "count": -1})
	r := w.wantSync(3, map[string]int{"unchanged": 33, "failed": 3})
	for _, res := range r.troubles() {
		if res.Reason != "rejected" {
			t.Errorf("%+v", res)
		}
	}
	w.wantVersions(before)
	for _, s := range holders {
		if pairIn(s.value(victim)) != held[victim] {
			t.Errorf("%s lost the good value", s.sink())
		}
	}
	w.amazon.control("DELETE", "faults", nil, nil)
	w.wantSync(0, map[string]int{"updated": 3, "unchanged": 33})
	w.holds(holders...)
}

func TestAMassRotationWaitsForAnOperator(t *testing.T) {
	w := newWorld(t, 12)
	w.withVault()
	w.withAWS()
	w.wantSync(0, map[string]int{"created": 24})
	before := w.versions()
	rotated := w.amazon.rotate(6)
	r := w.wantSync(4, map[string]int{"unchanged": 12, "refused": 12})
	w.wantVersions(before)
	w.want(w.parse(w.credsync("plan", "-o", "json")), 4, map[string]int{"unchanged": 12, "refused": 12})
	w.want(w.sync("--accept-plan", r.Plan), 0, map[string]int{"updated": 12, "unchanged": 12})
	w.wantVersions(before, rotated...)
	w.holds()
	w.amazon.rotate(6)
	w.want(w.sync("--accept-plan", r.Plan), 4, map[string]int{"unchanged": 12, "refused": 12})
}

func TestAFullDiskFailsLoudlyAndKeepsTheOldFile(t *testing.T) {
	w := newWorld(t, 3)
	disk := smallDisk(t)
	w.withFiles("{skill_id}.json", settings{"dir": disk})
	w.wantSync(0, map[string]int{"created": 3})
	skills := w.amazon.skills()
	stored := make(map[string]string)
	for _, skill := range skills {
		b, err := os.ReadFile(filepath.Join(disk, skill+".json"))
		if err != nil {
			t.Fatal(err)
		}
		stored[skill] = string(b)
	}
	fill(t, filepath.Join(disk, "others"))
	w.amazon.rotate(1)
	w.wantSync(3, map[string]int{"unchanged": 2, "failed": 1})
	w.amazon.rotate(2)
	r := w.wantSync(1, map[string]int{"failed": 3})
	t.Logf("%s: %s", r.Results[0].Reason, r.Results[0].Error)
	for _, skill := range skills {
		b, err := os.ReadFile(filepath.Join(disk, skill+".json"))
		if err != nil || string(b) != stored[skill] {
			t.Errorf("the old file of %s is not intact: %v", skill, err)
		}
	}
	if err := os.Remove(filepath.Join(disk, "others")); err != nil {
		t.Fatal(err)
	}
	w.wantSync(0, map[string]int{"updated": 3})
}

// fill writes a file until nothing fits any more.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for range 1 << 10 {
		if _, err := f.Write(make([]byte, 1<<10)); err != nil {
			return
		}
	}
	t.Fatalf("%s takes more than a megabyte", path)
}
