package scheduler

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// minPeriod is the least time between two runs that @every may ask for; five
// fields cannot ask for less.
const minPeriod = time.Minute

// Parse reads a schedule whose slots follow the clock of loc; nil means
// [time.Local]. It understands
//
//   - five fields, minute hour day-of-month month day-of-week, with lists,
//     ranges, steps and English names; Sunday is 0 or 7;
//   - @hourly, @daily (@midnight), @weekly, @monthly, @yearly (@annually);
//   - @every and a duration of at least a minute: "@every 90m".
//
// Each error names the problem and, after a semicolon, the way out. A schedule
// without any slot is an error, as is a time zone within the schedule.
func Parse(spec string, loc *time.Location) (Schedule, error) {
	spec = strings.TrimSpace(spec)
	if loc == nil {
		loc = time.Local
	}
	switch {
	case spec == "":
		return Schedule{}, errors.New(`schedule is empty; write five cron fields such as "0 */6 * * *", or @hourly, or @every 6h`)
	case strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ="):
		return Schedule{}, fmt.Errorf("schedule %q holds a time zone; set time_zone instead", spec)
	case strings.HasPrefix(spec, "@every"):
		return parseEvery(spec, loc)
	}
	f, err := parseFields(spec)
	if err != nil {
		return Schedule{}, err
	}
	if f.next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Schedule{}, fmt.Errorf("schedule %q never fires; name a day that its month has", spec)
	}
	return Schedule{fields: f, loc: loc}, nil
}

func parseEvery(spec string, loc *time.Location) (Schedule, error) {
	every, err := time.ParseDuration(strings.TrimSpace(strings.TrimPrefix(spec, "@every")))
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %q holds no duration; write it like @every 90m or @every 24h", spec)
	}
	if every < minPeriod {
		return Schedule{}, fmt.Errorf("schedule %q runs more often than once a minute; use @every 1m or longer", spec)
	}
	return Schedule{every: every, loc: loc}, nil
}

func parseFields(spec string) (fields, error) {
	if strings.HasPrefix(spec, "@") {
		return parseDescriptor(spec)
	}
	texts := strings.Fields(spec)
	if len(texts) != 5 {
		return fields{}, fmt.Errorf("schedule %q has %d fields; write five: minute hour day-of-month month day-of-week", spec, len(texts))
	}
	texts[4] = sundayIsZero(texts[4])
	if f, ok := parseCron(strings.Join(texts, " ")); ok {
		return f, nil
	}
	return fields{}, explain(spec, texts)
}

// explain finds the field that is to blame.
func explain(spec string, texts []string) error {
	takes := [...]string{
		"minute takes 0-59", "hour takes 0-23", "day of month takes 1-31",
		"month takes 1-12 or jan-dec", "day of week takes 0-7 or sun-sat",
	}
	for i, text := range texts {
		alone := []string{"*", "*", "*", "*", "*"}
		alone[i] = text
		if _, ok := parseCron(strings.Join(alone, " ")); !ok {
			return fmt.Errorf("schedule %q: %q is not valid; %s, with lists (1,3), ranges (1-3) and steps (*/2)",
				spec, strings.Fields(spec)[i], takes[i])
		}
	}
	return fmt.Errorf("schedule %q is not valid; write five cron fields such as \"0 */6 * * *\"", spec)
}

func parseDescriptor(spec string) (fields, error) {
	if f, ok := parseCron(spec); ok {
		return f, nil
	}
	if spec == "@reboot" {
		return fields{}, errors.New("schedule @reboot is not a time; set on_start: true beside a schedule")
	}
	return fields{}, fmt.Errorf("schedule %q is unknown; use @hourly, @daily, @weekly, @monthly, @yearly or @every 6h", spec)
}

// sundayIsZero rewrites 7, which crontab(5) allows for Sunday and robfig/cron
// does not, where it stands alone or ends a range.
func sundayIsZero(dow string) string {
	days := strings.Split(dow, ",")
	for i, day := range days {
		if day == "7" {
			days[i] = "0"
		} else if first, ok := strings.CutSuffix(day, "-7"); ok {
			days[i] = first + "-6,0"
		}
	}
	return strings.Join(days, ",")
}

// parseCron lets robfig/cron parse what is neither @every nor has a zone. A
// panic of that parser (robfig/cron#470) is a schedule that is not valid.
func parseCron(spec string) (f fields, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	parsed, err := cron.ParseStandard(spec)
	if err != nil {
		return fields{}, false
	}
	s, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return fields{}, false
	}
	return fields{minute: s.Minute, hour: s.Hour, dom: s.Dom, month: s.Month, dow: s.Dow}, true
}
