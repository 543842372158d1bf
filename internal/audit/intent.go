package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// announces reports whether r tells what is about to be done.
func (r Record) announces() bool {
	return r.Event == WriteIntent || r.Event == Adopt && r.Outcome == ""
}

// An intents holds the lines that announce what no later line concludes. Several
// of one run at one name are concluded in their order.
type intents struct {
	open map[string][][]byte // by what both lines of a pair have in common
	key  []byte              // of the last line
}

// take looks at one line, without its newline. What is no whole record is
// passed over.
func (i *intents) take(line []byte) {
	seal := len(line) - sealLen
	if seal < 0 || !bytes.HasPrefix(line[seal:], []byte(hashMember)) || !bytes.HasPrefix(line, []byte(lineStart)) {
		return
	}
	i.key = i.key[:0]
	event, _ := member(line, `,"event":"`)
	switch Event(event) {
	case WriteIntent:
		i.name(line)
		i.begin(line)
	case WriteOutcome:
		i.name(line)
		i.end()
	case Adopt:
		i.key = append(i.key, "adopt"...)
		i.name(line)
		if _, rest := member(line, `,"outcome":"`); rest == nil {
			i.begin(line)
		} else {
			i.end()
		}
	}
}

// name adds to the key what line is about.
func (i *intents) name(line []byte) {
	for _, start := range [...]string{`,"run":"`, `,"sink":"`, `,"name":"`} {
		text, rest := member(line, start)
		i.key = append(append(i.key, 0), text...)
		if rest != nil {
			line = rest
		}
	}
}

func (i *intents) begin(line []byte) {
	if i.open == nil {
		i.open = make(map[string][][]byte)
	}
	i.open[string(i.key)] = append(i.open[string(i.key)], bytes.Clone(line))
}

func (i *intents) end() {
	switch lines := i.open[string(i.key)]; len(lines) {
	case 0: // announced in an earlier file, or it had arrived after a conflict
	case 1:
		delete(i.open, string(i.key))
	default:
		i.open[string(i.key)] = lines[1:]
	}
}

// member returns the text of the member that begins with start, as it is
// written, and what of line follows start: nil where line has no such member.
// Quotes are escaped in strings, so what is looked for stands in no value.
func member(line []byte, start string) (text, rest []byte) {
	_, rest, ok := bytes.Cut(line, []byte(start))
	if !ok {
		return nil, nil
	}
	text, _, _ = bytes.Cut(rest, []byte(`","`))
	return text, rest
}

// parse returns what a line tells of a write.
func parse(line []byte) (Record, error) {
	var m struct {
		Seq                                  uint64
		Event                                Event
		Run, Job, Trigger, Skill, Sink, Name string
		Action                               Action
		PrevVersion                          string `json:"prev_version"`
		Fingerprint                          string
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return Record{}, fmt.Errorf("record: %w", err)
	}
	return Record{
		Seq: m.Seq, Event: m.Event, Run: m.Run, Job: m.Job, Trigger: m.Trigger, Skill: m.Skill, Sink: m.Sink,
		Name: m.Name, Action: m.Action, PrevVersion: m.PrevVersion, Fingerprint: m.Fingerprint,
	}, nil
}

// all returns the open lines in their order: they begin with their time.
func (i *intents) all() [][]byte {
	all := slices.Concat(slices.Collect(maps.Values(i.open))...)
	slices.SortFunc(all, bytes.Compare)
	return all
}
