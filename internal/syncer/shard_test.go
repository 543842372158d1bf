package syncer

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

// Whatever the list and the number of shards: each line belongs to one shard,
// and to the same one in a list that has grown.
func TestShardsAreDisjointCompleteAndStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 50).Draw(t, "count")
		ids := rapid.SliceOfDistinct(rapid.StringMatching(`amzn1\.ask\.skill\.[0-9a-f-]{1,40}`), func(s string) string { return s }).Draw(t, "ids")
		owner := func(e source.Entry) (owners []int) {
			for _, s := range all(count) {
				if s.holds(e) {
					owners = append(owners, s.Index)
				}
			}
			return owners
		}
		for i, id := range ids {
			e := source.Entry{Skill: credential.SkillID(id), Label: "before", Where: source.Place{Line: i}}
			before := owner(e)
			if len(before) != 1 {
				t.Fatalf("%s of %d: belongs to %v", id, count, before)
			}
			e.Label, e.Where.Line = "", i+1
			if after := owner(e); !slices.Equal(before, after) {
				t.Fatalf("%s of %d moved from %v to %v", id, count, before, after)
			}
		}
		if bad := owner(source.Entry{}); !slices.Equal(bad, []int{0}) {
			t.Fatalf("a line without a skill belongs to %v", bad)
		}
	})
}

// Which shard a skill belongs to is final: hosts of two releases may share a list.
func TestShardsOfAllReleasesAreTheSame(t *testing.T) {
	for id, want := range map[credential.SkillID]int{
		"amzn1.ask.skill.0fa4b1d2-6a1e-4b0e-9c57-2f3b8d1a7c90": 4,
		"amzn1.ask.skill.11111111-2222-3333-4444-555555555555": 5,
		"amzn1.ask.skill.99999999-8888-7777-6666-555555555555": 2,
	} {
		got := slices.IndexFunc(all(8), func(s Shard) bool { return s.holds(source.Entry{Skill: id}) })
		if got != want {
			t.Errorf("%s: shard %d of 8, want %d", id, got, want)
		}
	}
}

// The shares of a real list are about as large as each other.
func TestShardsAreEven(t *testing.T) {
	const skills, count = 8000, 8
	var sizes [count]int
	for n := range skills {
		for _, s := range all(count) {
			if s.holds(source.Entry{Skill: skill(n)}) {
				sizes[s.Index]++
			}
		}
	}
	for i, size := range sizes {
		if size < 850 || size > 1150 {
			t.Errorf("shard %d of %d has %d of %d skills", i, count, size, skills)
		}
	}
}

func TestParseShardTakesWhatItPrints(t *testing.T) {
	for _, s := range all(12) {
		if got, err := ParseShard(s.String()); err != nil || got != s {
			t.Errorf("%s is read as %v, %v", s, got, err)
		}
	}
	for _, text := range []string{"", "/", "1", "8/8", "-1/8", "0/0", "0/-1", "1/2/3", "a/8", "0/a", "0/10001", " 0/8", "0/99999999999999999999"} {
		if got, err := ParseShard(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

// all returns the shards of count.
func all(count int) (shards []Shard) {
	for i := range count {
		shards = append(shards, Shard{i, count})
	}
	return shards
}
