package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// done answers what has nothing to tell.
var done = struct {
	Done bool `json:"done"`
}{true}

func (a *Amazon) controlClient(*http.Request) (any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return map[string]string{
		"client_id": a.tokens.clientID, "client_secret": a.tokens.clientSecret,
		"refresh_token": a.tokens.latest, "refresh_scope": a.tokens.refreshable[a.tokens.latest], "vendor": a.vendor,
	}, nil
}

func (a *Amazon) controlTokens(r *http.Request) (any, error) {
	life, err := time.Duration(0), error(nil)
	if text := r.URL.Query().Get("life"); text != "" {
		if life, err = time.ParseDuration(text); err != nil {
			return nil, fmt.Errorf("life=%q is no duration like 5m", text)
		}
	}
	refresh := Refresh(r.URL.Query().Get("refresh"))
	if !refresh.valid() {
		return nil, fmt.Errorf("refresh=%q is none of same, new, replace, absent", refresh)
	}
	a.SetTokens(life, refresh)
	return done, nil
}

func (a *Amazon) controlExpire(*http.Request) (any, error) {
	a.ExpireTokens()
	return done, nil
}

func (a *Amazon) controlRevoke(*http.Request) (any, error) {
	a.RevokeRefreshTokens()
	return a.controlClient(nil)
}

func (a *Amazon) controlReturned(*http.Request) (any, error) {
	return map[string][]string{"return_urls": a.ReturnURLs()}, nil
}

func (a *Amazon) controlReturns(r *http.Request) (any, error) {
	urls := r.URL.Query()["url"]
	for _, text := range urls {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Fragment != "" {
			return nil, fmt.Errorf("url=%q is no URL like %s", text, DefaultReturnURL)
		}
	}
	a.SetReturnURLs(urls...)
	return a.controlReturned(nil)
}

func (a *Amazon) controlRate(r *http.Request) (any, error) {
	rate, err := strconv.ParseFloat(r.URL.Query().Get("rate"), 64)
	if err != nil || rate < 0 {
		return nil, errors.New("rate is to be a number of requests per second, 0 for no limit")
	}
	burst, err := number(r, "burst", 1, maxAdd)
	if err != nil {
		return nil, err
	}
	retryAfter, err := number(r, "retry_after", 0, 1)
	if err != nil {
		return nil, err
	}
	a.SetRate(rate, burst, retryAfter == 1)
	return done, nil
}

func (a *Amazon) controlErrors(r *http.Request) (any, error) {
	form := Body(r.URL.Query().Get("form"))
	if form != BodyBare && form != BodyWrapped {
		return nil, fmt.Errorf("form=%q is neither bare nor wrapped", form)
	}
	a.SetErrors(form)
	return done, nil
}

// faultJSON is a Fault with its delay as people write it.
type faultJSON struct {
	Fault
	Delay string `json:"delay,omitempty"`
}

func (f faultJSON) fault() (Fault, error) {
	if f.Delay != "" {
		d, err := time.ParseDuration(f.Delay)
		if err != nil {
			return Fault{}, fmt.Errorf("delay=%q is no duration like 250ms", f.Delay)
		}
		f.Fault.Delay = d
	}
	return f.Fault, nil
}

func (a *Amazon) controlFaults(*http.Request) (any, error) {
	list := []faultJSON{}
	for _, f := range a.Faults() {
		shown := faultJSON{Fault: f}
		if f.Delay > 0 {
			shown.Delay = f.Delay.String()
		}
		list = append(list, shown)
	}
	return map[string][]faultJSON{"faults": list}, nil
}

func (a *Amazon) controlInject(r *http.Request) (any, error) {
	var sent faultJSON
	if err := decode(r, &sent); err != nil {
		return nil, err
	}
	f, err := sent.fault()
	if err != nil {
		return nil, err
	}
	if err := a.Inject(f); err != nil {
		return nil, err
	}
	return a.controlFaults(nil)
}

func (a *Amazon) controlClear(*http.Request) (any, error) {
	a.ClearFaults()
	return done, nil
}

func (a *Amazon) controlRequests(r *http.Request) (any, error) {
	last, err := number(r, "last", 0, maxLog)
	if err != nil {
		return nil, err
	}
	seen := a.Requests()
	seen.Last = seen.Last[max(0, len(seen.Last)-last):]
	return seen, nil
}

func (a *Amazon) controlReset(*http.Request) (any, error) {
	a.ResetRequests()
	return done, nil
}

// decode reads the one JSON object of a body, without members that mean nothing
// here: a misspelt fault should not pass for another one.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("the body is not the JSON expected here: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("the body holds more than one JSON object")
	}
	return nil
}
