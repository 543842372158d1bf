package audit

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/credsync/credsync/internal/credential"
)

func BenchmarkAppend(b *testing.B) {
	trail, err := Open(Options{Host: "host", Files: []string{filepath.Join(b.TempDir(), "audit.jsonl")}})
	if err != nil {
		b.Fatal(err)
	}
	defer trail.Close()
	b.Run("one at a time", func(b *testing.B) {
		for b.Loop() {
			if err := trail.Append(b.Context(), Record{Event: WriteIntent}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := trail.Append(b.Context(), Record{Event: WriteIntent}); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// BenchmarkLedger reads a file as the first pass of a process does.
func BenchmarkLedger(b *testing.B) {
	path := filepath.Join(b.TempDir(), "audit.jsonl")
	trail, err := Open(Options{Host: "host", Files: []string{path}})
	if err != nil {
		b.Fatal(err)
	}
	defer trail.Close()
	for i := range 2000 {
		r := Record{
			Event: WriteIntent, Run: "0198a1f0-0000-7000-8000-000000000000", Job: "production", Trigger: "schedule", Skill: "amzn1.ask.skill.00000000-0000-4000-8000-000000000000",
			Sink: "vault", Name: "alexa/" + strconv.Itoa(i), Action: Update, PrevVersion: "3", Fingerprint: genesis,
		}
		_ = trail.Append(b.Context(), r)
		r.Event, r.Outcome, r.Version = WriteOutcome, "updated", "4"
		_ = trail.Append(b.Context(), r)
	}
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		l := &ledger{path: path, seal: newSeal(credential.Secret{})}
		for r, err := range l.abandoned(b.Context(), all) {
			b.Fatal(r, err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	const records = 10_000
	for name, key := range map[string]credential.Secret{"plain": {}, "keyed": testKey} {
		log := slices.Concat(lines(b, key, records)...)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(log)))
			for b.Loop() {
				if _, err := Verify(bytes.NewReader(log), VerifyOptions{Key: key}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
