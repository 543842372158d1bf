package syncer

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/sink"
)

// A state comes out of its packing as it went in, and digests take half of their
// digits there.
func TestAStateIsPackedWhole(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([0-9a-f]{2})*`), rapid.StringMatching(`[0-9A-Fa-f]*`))
	owner := sink.Owner{Instance: "prod", Skill: skill(1)}
	rapid.Check(t, func(t *rapid.T) {
		s := sink.State{
			Exists: true, Owner: owner, Fingerprint: credential.Fingerprint(text.Draw(t, "fingerprint")),
			Key: text.Draw(t, "key"), Version: text.Draw(t, "version"), Ref: text.Draw(t, "ref"),
		}
		if got := unpacked(packed(s), owner); got != s {
			t.Errorf("got %+v, want %+v", got, s)
		}
	})
	digest := strings.Repeat("0f", 32)
	if got := len(packed(sink.State{Fingerprint: credential.Fingerprint(digest), Ref: digest})); got > 70 {
		t.Errorf("two digests take %d bytes", got)
	}
}
