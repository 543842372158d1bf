package audit

import (
	"bytes"
	"path/filepath"
	"slices"
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
