package status

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credsync/credsync/internal/syncer"
)

func TestAFilterSurvivesItsQuery(t *testing.T) {
	for _, f := range []Filter{
		{},
		{Job: "a", Sink: "b", Outcome: []syncer.Outcome{syncer.Failed, syncer.Skipped}, Text: "50% & <more>", Offset: 100, Limit: 1000},
		{Text: "0"},
	} {
		query, err := url.ParseQuery(f.Query().Encode())
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseFilter(query)
		if err != nil {
			t.Errorf("%+v: %v", f, err)
		}
		if diff := cmp.Diff(f, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestAFilterTellsAllThatIsWrong(t *testing.T) {
	for query, want := range map[string]string{
		"outcome=faild":                    `no outcome is named "faild"`,
		"limit=1001":                       "limit",
		"limit=-1":                         "limit",
		"offset=x":                         "offset",
		"offset=99999999999999999999":      "offset",
		"job=a&job=b":                      "job is given more than once",
		"jobs=a":                           `no parameter is named "jobs"`,
		"outcome=&limit=&offset=&q=&sink=": "",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ParseFilter(values)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", query, err, want)
		}
	}
	values, _ := url.ParseQuery("limit=x&offset=y&outcome=z")
	if _, err := ParseFilter(values); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("got %v, want all three faults", err)
	}
}
