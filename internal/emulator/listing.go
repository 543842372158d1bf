package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Limits of the skill list (SMAPI: list skills).
const (
	maxPage      = 50
	maxListedIDs = 10
	cursorLife   = 24 * time.Hour
)

// A listed is one row of the skill list: a skill in one of its stages.
type listed struct {
	SkillID           string            `json:"skillId"`
	Stage             string            `json:"stage"`
	APIs              []string          `json:"apis"`
	PublicationStatus string            `json:"publicationStatus"`
	LastUpdated       string            `json:"lastUpdated"`
	NameByLocale      map[string]string `json:"nameByLocale"`
	ASIN              string            `json:"asin,omitempty"`
	Links             links             `json:"_links"`
	place             place
}

type link struct {
	Href string `json:"href"`
}

type links map[string]link

// A place is where a row stands in the list, whatever comes and goes elsewhere.
type place struct{ serial, stage int }

func (p place) after(q place) bool {
	return p.serial > q.serial || p.serial == q.serial && p.stage > q.stage
}

// rows lists each skill once for each stage it is in: every third is live
// beside its development version, every ninth is in certification too.
func (a *Amazon) rows() []listed {
	var rows []listed
	for _, s := range a.skills.all {
		row := func(stage, status string) {
			r := listed{
				SkillID: string(s.id), Stage: stage, APIs: []string{"custom"}, PublicationStatus: status,
				LastUpdated:  s.updated.UTC().Format("2006-01-02T15:04:05.000Z"),
				NameByLocale: map[string]string{"en-US": s.name},
				Links:        links{"self": {Href: "/v1/skills/" + string(s.id) + "/stages/" + stage + "/manifest"}},
			}
			if stage == "live" {
				r.ASIN = "B0" + a.mint.upper("asin", s.serial, 8)
			}
			if n := len(rows); n > 0 && rows[n-1].place.serial == s.serial {
				r.place.stage = rows[n-1].place.stage + 1
			}
			r.place.serial = s.serial
			rows = append(rows, r)
		}
		row("development", "DEVELOPMENT")
		if s.serial%9 == 2 {
			row("certification", "CERTIFICATION")
		}
		if s.serial%3 == 2 {
			row("live", "PUBLISHED")
		}
	}
	return rows
}

// listing answers with a page of the skill list.
func (a *Amazon) listing(c *call, now time.Time) answer {
	q := c.query
	ids, paged := q["skillId"], q.Has("nextToken") || q.Has("maxResults")
	size, sizeErr := strconv.Atoi(q.Get("maxResults"))
	if !q.Has("maxResults") {
		size, sizeErr = maxPage, nil
	}
	from, code := a.cursor(q, now)
	switch {
	case q.Get("vendorId") == "":
		return a.failure(http.StatusBadRequest, "MISSING_REQUIRED_PROPERTY", "Required parameter vendorId is missing.")
	case q.Get("vendorId") != a.vendor:
		return a.failure(http.StatusUnauthorized, "", "") // a 401 also means: no access to the resource
	case sizeErr != nil || size < 1 || size > maxPage:
		return a.failure(http.StatusBadRequest, "INVALID_REQUEST_PARAMETER", "maxResults is not between 1 and 50.")
	case len(ids) > maxListedIDs || len(ids) > 0 && paged:
		return a.failure(http.StatusBadRequest, "INVALID_REQUEST_PARAMETER", "skillId goes with at most 10 IDs and without maxResults and nextToken.")
	case code != "":
		return a.failure(http.StatusBadRequest, code, "nextToken is not valid or has expired.")
	}
	rows := slices.DeleteFunc(a.rows(), func(r listed) bool {
		return !r.place.after(from) || len(ids) > 0 && !slices.Contains(ids, r.SkillID)
	})
	return a.page(rows, q, size, now)
}

// page holds the first size of rows, and the way to the rest.
func (a *Amazon) page(rows []listed, q url.Values, size int, now time.Time) answer {
	body := struct {
		Links       links    `json:"_links"`
		Skills      []listed `json:"skills"`
		IsTruncated bool     `json:"isTruncated"`
		NextToken   string   `json:"nextToken,omitempty"`
	}{Links: links{"self": {Href: "/v1/skills?" + q.Encode()}}, Skills: slices.Concat([]listed{}, rows)}
	if len(rows) > size {
		last := rows[size-1].place
		body.Skills, body.IsTruncated = rows[:size], true
		body.NextToken = a.mint.seal(fmt.Sprintf("%d %d %d", now.Add(cursorLife).Unix(), last.serial, last.stage))
		q.Set("nextToken", body.NextToken)
		body.Links["next"] = link{Href: "/v1/skills?" + q.Encode()}
	}
	ans := jsonAnswer(http.StatusOK, body)
	ans.header.Set("Content-Type", "application/json+hal")
	return ans
}

// cursor returns the place that nextToken was given out for, or an error code.
func (a *Amazon) cursor(q url.Values, now time.Time) (from place, code string) {
	from = place{serial: -1}
	if !q.Has("nextToken") {
		return from, ""
	}
	text, ok := a.mint.open(q.Get("nextToken"))
	var until int64
	if !ok {
		return from, "INVALID_REQUEST_PARAMETER"
	}
	if _, err := fmt.Sscanf(text, "%d %d %d", &until, &from.serial, &from.stage); err != nil {
		return from, "INVALID_REQUEST_PARAMETER"
	}
	if now.Unix() >= until {
		return from, "PARAMETER_EXPIRED"
	}
	return from, ""
}

// vendors answers with the one vendor of the account.
func (a *Amazon) vendors() answer {
	type vendor struct {
		ID    string   `json:"id"`
		Name  string   `json:"name"`
		Roles []string `json:"roles"`
	}
	return jsonAnswer(http.StatusOK, map[string][]vendor{
		"vendors": {{ID: a.vendor, Name: "Emulated Skills", Roles: []string{"ROLE_ADMINISTRATOR"}}},
	})
}
