package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/credsync/credsync/internal/credential"
)

// A Fault is one thing that goes wrong, for the next Count requests that it
// meets. It has two halves, either of which may be left out: what the answer
// says (Status, Body, Code, RetryAfter, Location) and how it gets to the client
// (Delivery, Delay). With the second half alone, the true answer is given in
// that way, and what it does at Amazon is done.
//
// Faults are met in the order in which they were added, one at a time, before
// anything else of the request is looked at. To have LWA refuse the pair of a
// skill: Fault{Operation: OpVerify, Skill: id, Status: 401, Count: -1}.
//
// The bodies follow Amazon's references of the Skill Credentials API and of
// Login with Amazon.
type Fault struct {
	Operation Operation          `json:"operation,omitempty"` // empty = any
	Skill     credential.SkillID `json:"skill,omitempty"`     // empty = any; OpVerify: whose pair is being verified
	Count     int                `json:"count,omitempty"`     // 0 = once; negative = until cleared

	Status     int    `json:"status,omitempty"`      // 0 = 429 with RetryAfter, 302 with Location, 200 with Body
	Body       Body   `json:"body,omitempty"`        // empty = what Amazon says with this status; {} below 400
	Code       string `json:"code,omitempty"`        // the error code in that; empty = the usual one
	RetryAfter string `json:"retry_after,omitempty"` // the header as it is sent: seconds or a date
	Location   string `json:"location,omitempty"`    // where a redirect points

	Delivery Delivery      `json:"delivery,omitempty"` // empty = whole
	Delay    time.Duration `json:"-"`                  // before the answer; DeliverSlow: from its first byte to its last. In JSON: "delay":"250ms"
}

// Body is a form of body, of errors and of answers that are none.
type Body string

// The bodies. BodyBare and BodyWrapped are Amazon's two forms of one error: its
// references show the members of an error both at the top and in "error".
const (
	BodyBare      Body = "bare"
	BodyWrapped   Body = "wrapped"
	BodyEmpty     Body = "empty"      // no byte at all
	BodyHTML      Body = "html"       // a page, as proxies and portals send
	BodyNull      Body = "null"       // JSON null
	BodyEmptyPair Body = "empty_pair" // both members there, both empty
	BodyHalfPair  Body = "half_pair"  // the client ID alone
	BodyEcho      Body = "echo"       // the request's own credentials, to find who logs bodies
)

// Delivery is how an answer gets to the client, or does not.
type Delivery string

// The deliveries.
const (
	DeliverHang  Delivery = "hang"  // never: the connection stays open until the client gives up
	DeliverReset Delivery = "reset" // never: the connection is reset (TCP RST)
	DeliverCut   Delivery = "cut"   // the connection ends within the body
	DeliverSlow  Delivery = "slow"  // the body trickles in over Delay; 10 s where that is 0
)

// errNoFault is what a Fault is that says nothing.
var errNoFault = errors.New("a fault needs a status, body, retry_after, location, delivery or delay")

// check says what is wrong with f.
func (f Fault) check() error {
	bodies := []Body{"", BodyBare, BodyWrapped, BodyEmpty, BodyHTML, BodyNull, BodyEmptyPair, BodyHalfPair, BodyEcho}
	deliveries := []Delivery{"", DeliverHang, DeliverReset, DeliverCut, DeliverSlow}
	switch {
	case f.Operation != "" && !f.Operation.valid():
		return fmt.Errorf("%q is no operation", f.Operation)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is not between 200 and 599", f.Status)
	case !slices.Contains(bodies, f.Body):
		return fmt.Errorf("%q is no body; there are %q", f.Body, bodies[1:])
	case !slices.Contains(deliveries, f.Delivery):
		return fmt.Errorf("%q is no delivery; there are %q", f.Delivery, deliveries[1:])
	case f.Delay < 0:
		return errors.New("a delay can't be negative")
	case f.Code != "" && f.status() < http.StatusBadRequest:
		return errors.New("a code needs the status of an error")
	case f.status() == 0 && f.Delivery == "" && f.Delay == 0:
		return errNoFault
	}
	return nil
}

// status returns the status that f answers with, 0 for the true one.
func (f Fault) status() int {
	switch {
	case f.Status != 0:
		return f.Status
	case f.RetryAfter != "":
		return http.StatusTooManyRequests
	case f.Location != "":
		return http.StatusFound
	case f.Body != "":
		return http.StatusOK
	}
	return 0
}

// meets reports whether f concerns c.
func (f Fault) meets(c *call) bool {
	return (f.Operation == "" || f.Operation == c.op) && (f.Skill == "" || f.Skill == c.skill)
}

// Inject adds a fault behind those that are there. It fails on a fault that
// makes no sense.
func (a *Amazon) Inject(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	if f.Count == 0 {
		f.Count = 1
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, f)
	return nil
}

// Faults returns the faults that are still to come, with the counts left.
func (a *Amazon) Faults() []Fault {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.faults)
}

// ClearFaults forgets all faults. Requests that one has met already end as it
// said.
func (a *Amazon) ClearFaults() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = nil
}

// takeFault uses up one count of the first fault that meets c. The zero Fault
// is none.
func (a *Amazon) takeFault(c *call) Fault {
	i := slices.IndexFunc(a.faults, func(f Fault) bool { return f.meets(c) })
	if i < 0 {
		return Fault{}
	}
	f := a.faults[i]
	switch {
	case f.Count == 1:
		a.faults = slices.Delete(a.faults, i, i+1)
	case f.Count > 1:
		a.faults[i].Count--
	}
	return f
}
