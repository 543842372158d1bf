package config

import (
	"errors"
	"regexp"
	"strconv"
)

// A Percent is a share of a whole, written as "20%". The zero Percent is 0%.
type Percent float64

var percent = regexp.MustCompile(`^([0-9]{1,9}(?:\.[0-9]{1,9})?) ?%$`)

// UnmarshalText reads a number, not a negative one, and a percent sign.
func (p *Percent) UnmarshalText(text []byte) error {
	m := percent.FindSubmatch(text)
	if m == nil {
		return errors.New("not a percentage; write it as 20%")
	}
	v, err := strconv.ParseFloat(string(m[1]), 64)
	*p = Percent(v)
	return err
}

// MarshalText writes p as UnmarshalText reads it.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// String returns p as a number and a percent sign.
func (p Percent) String() string { return strconv.FormatFloat(float64(p), 'g', -1, 64) + "%" }

// Share returns p as a fraction: 0.2 for 20%.
func (p Percent) Share() float64 { return float64(p) / 100 }
