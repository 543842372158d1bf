package audit

import (
	"fmt"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"go.uber.org/zap/zapcore"
)

// timeLayout is RFC 3339 with microseconds, always of one length.
const timeLayout = "2006-01-02T15:04:05.000000Z07:00"

// newEncoder returns an encoder that writes the members of a record and none of
// its own.
func newEncoder() zapcore.Encoder {
	return zapcore.NewJSONEncoder(zapcore.EncoderConfig{
		SkipLineEnding: true,
		EncodeTime:     zapcore.TimeEncoderOfLayout(timeLayout),
	})
}

// object appends r to buf as a JSON object on one line, printable throughout.
func object(buf []byte, enc zapcore.Encoder, r Record) ([]byte, error) {
	b, err := enc.EncodeEntry(zapcore.Entry{}, []zapcore.Field{{Type: zapcore.InlineMarshalerType, Interface: r}})
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	defer b.Free()
	return appendPrintable(buf, b.Bytes()), nil
}

// MarshalLogObject writes the members of r that are set, in the order that the
// design fixes.
func (r Record) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	text := func(key, value string) {
		if value != "" {
			enc.AddString(key, value)
		}
	}
	enc.AddTime("time", r.Time.UTC())
	enc.AddUint64("seq", r.Seq)
	text("event", string(r.Event))
	text("run", r.Run)
	text("job", r.Job)
	text("trigger", r.Trigger)
	text("plan", r.Plan)
	text("skill", r.Skill)
	text("sink", r.Sink)
	text("name", r.Name)
	text("action", string(r.Action))
	text("outcome", r.Outcome)
	text("reason", r.Reason)
	text("prev_version", r.PrevVersion)
	text("version", r.Version)
	text("fingerprint", r.Fingerprint)
	if r.Took > 0 {
		enc.AddInt64("took_ms", int64((r.Took+time.Millisecond-1)/time.Millisecond))
	}
	text("host", r.Host)
	text("prev", r.Prev)
	text("hash", r.Hash)
	return nil
}

// appendPrintable appends the JSON text to buf. zapcore escapes what JSON
// demands; a terminal or a pager also obeys what lies beyond ASCII: line
// separators, C1 controls, marks that turn the direction of writing. In JSON
// such runes stand in strings alone, so they can be escaped wherever they are.
func appendPrintable(buf, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		switch {
		case r < 0x7f || unicode.IsPrint(r):
			buf = append(buf, text[:size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			buf = fmt.Appendf(buf, `\u%04x\u%04x`, high, low)
		default:
			buf = fmt.Appendf(buf, `\u%04x`, r)
		}
		text = text[size:]
	}
	return buf
}
