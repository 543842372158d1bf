package syncer

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/credsync/credsync/internal/source"
)

// maxShards bounds a count that is a slip of the pen.
const maxShards = 10_000

// A Shard is one of several parts of each job's list, for processes that share
// the work and know nothing of each other. The parts have no skill in common and
// are the whole list together; which one a skill belongs to depends on its ID and
// on Count alone, so a list may grow without moving any. The zero Shard is the
// whole.
type Shard struct {
	Index int // from 0, as Kubernetes counts the pods of an indexed job
	Count int
}

// ParseShard reads I/N, as 0/8: the first of eight.
func ParseShard(text string) (Shard, error) {
	index, count, _ := strings.Cut(text, "/")
	i, errIndex := strconv.Atoi(index)
	n, errCount := strconv.Atoi(count)
	switch {
	case errIndex != nil || errCount != nil:
		return Shard{}, fmt.Errorf("shard %q is not I/N, as 0/8 to 7/8 for eight processes", text)
	case n < 1 || n > maxShards:
		return Shard{}, fmt.Errorf("shard %q: the number of shards is not between 1 and %d", text, maxShards)
	case i < 0 || i >= n:
		return Shard{}, fmt.Errorf("shard %q: the index is not between 0 and %d; shards are counted from 0", text, n-1)
	}
	return Shard{Index: i, Count: n}, nil
}

// String returns s as [ParseShard] reads it, and nothing of the whole.
func (s Shard) String() string {
	if !s.partial() {
		return ""
	}
	return strconv.Itoa(s.Index) + "/" + strconv.Itoa(s.Count)
}

// partial reports whether s leaves anything to others.
func (s Shard) partial() bool { return s.Count > 1 }

// holds reports whether e belongs to s. A line that names no skill belongs to
// the first shard, so that it fails once.
func (s Shard) holds(e source.Entry) bool {
	if !s.partial() {
		return true
	}
	if e.Skill == "" {
		return s.Index == 0
	}
	sum := sha256.Sum256([]byte(e.Skill))
	count, index := uint64(s.Count), uint64(s.Index) //nolint:gosec // neither is negative
	return binary.BigEndian.Uint64(sum[:8])%count == index
}
