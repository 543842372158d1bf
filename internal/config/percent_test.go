package config

import "testing"

func TestPercent(t *testing.T) {
	for text, want := range map[string]Percent{"0%": 0, "20%": 20, "12.5%": 12.5, "20 %": 20, "100%": 100} {
		var p Percent
		if err := p.UnmarshalText([]byte(text)); err != nil || p != want {
			t.Errorf("%s: got %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "%", "20", "20%%", "a fifth", "0x1p-2%", "NaN%", "Inf%", "1e1%", "-1%"} {
		var p Percent
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: got %v, want an error", text, p)
		}
	}
	if got := Percent(12.5).String(); got != "12.5%" {
		t.Errorf("got %s", got)
	}
	if got := Percent(12.5).Share(); got != 0.125 {
		t.Errorf("got %v", got)
	}
}
