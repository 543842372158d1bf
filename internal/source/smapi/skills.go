package smapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/credsync/credsync/internal/credential"
	"github.com/credsync/credsync/internal/source"
)

const (
	pageSize = 50   // the most that the API gives (SMAPI: List Skills)
	maxPages = 1000 // of one vendor; more is a loop
	maxName  = 200  // characters of a skill's name that are kept
)

// Skills returns the skills of vendor; see [source.Lister]. A list of which one
// page can't be had is no list: it returns all or an error.
func (s *Source) Skills(ctx context.Context, vendor string) ([]source.Skill, error) {
	vendors := []string{vendor}
	if vendor == "" {
		var err error
		if vendors, err = s.vendors(ctx); err != nil {
			return nil, err
		}
	}
	found := make(catalog)
	for _, v := range vendors {
		if err := s.listVendor(ctx, v, found); err != nil {
			return nil, about(fmt.Sprintf("skills of vendor %q", v), err)
		}
	}
	return found.skills(), nil
}

func (s *Source) listVendor(ctx context.Context, vendor string, found catalog) error {
	seen := map[string]bool{}
	for next := ""; ; {
		q := url.Values{"vendorId": {vendor}, "maxResults": {strconv.Itoa(pageSize)}}
		if next != "" {
			q.Set("nextToken", next)
		}
		body, err := s.get(ctx, "/v1/skills?"+q.Encode())
		if err != nil {
			return missing(err)
		}
		rows, token, err := decodePage(body)
		if err != nil {
			return fmt.Errorf("page %d: %w answer: %w", len(seen)+1, source.ErrInvalid, err)
		}
		for _, r := range rows {
			found.add(vendor, r)
		}
		if next = token; next == "" {
			return nil
		}
		if seen[next] || len(seen) >= maxPages {
			return fmt.Errorf("%w answer: the pages never end", source.ErrInvalid)
		}
		seen[next] = true
	}
}

// vendors returns the IDs of the vendors that the account can see, sorted.
func (s *Source) vendors(ctx context.Context) ([]string, error) {
	body, err := s.get(ctx, "/v1/vendors")
	if err != nil {
		return nil, about("vendors", missing(err))
	}
	var list struct {
		Vendors *[]struct {
			ID string `json:"id"`
		} `json:"vendors"`
	}
	if json.Unmarshal(body, &list) != nil || list.Vendors == nil {
		return nil, fmt.Errorf("vendors: %w answer: no list of vendors", source.ErrInvalid)
	}
	var ids []string
	for _, v := range *list.Vendors {
		if v.ID == "" || !printable(v.ID) {
			return nil, fmt.Errorf("vendors: %w answer: a vendor without a usable ID", source.ErrInvalid)
		}
		ids = append(ids, v.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// missing makes of a 404 what it means for a list: [source.ErrNotFound] is of
// skills.
func missing(err error) error {
	if errors.Is(err, source.ErrNotFound) {
		return fmt.Errorf("%w: no such list; is api_url right? (status 404)", source.ErrInvalid)
	}
	return err
}

// A row is one skill in one stage.
type row struct {
	Skill credential.SkillID
	Stage string
	Names map[string]string // by locale
}

// decodePage returns the rows of a page and the token of the next, empty on the
// last. Its errors repeat nothing of body.
func decodePage(body []byte) ([]row, string, error) {
	var page struct {
		Skills *[]struct {
			ID    string            `json:"skillId"`
			Stage string            `json:"stage"`
			Names map[string]string `json:"nameByLocale"`
		} `json:"skills"`
		Truncated bool   `json:"isTruncated"`
		Next      string `json:"nextToken"`
	}
	if json.Unmarshal(body, &page) != nil || page.Skills == nil {
		return nil, "", errors.New("no page of skills")
	}
	if page.Truncated && page.Next == "" {
		return nil, "", errors.New("cut short, and without a way to the next page")
	}
	rows := make([]row, 0, len(*page.Skills))
	for _, s := range *page.Skills {
		id, err := credential.ParseSkillID(s.ID)
		if err != nil {
			return nil, "", errors.New("a skill without a usable ID")
		}
		rows = append(rows, row{id, s.Stage, s.Names})
	}
	return rows, page.Next, nil
}

// A catalog gathers the rows of each skill: the API lists one per stage, and a
// skill may show under several vendors.
type catalog map[credential.SkillID]*listed

type listed struct {
	vendor string
	stages map[string]bool
	names  map[string]string
}

func (c catalog) add(vendor string, r row) {
	l, ok := c[r.Skill]
	if !ok {
		l = &listed{vendor, map[string]bool{}, map[string]string{}}
		c[r.Skill] = l
	}
	if r.Stage != "" {
		l.stages[clean(r.Stage)] = true
	}
	for locale, name := range r.Names {
		if name = clean(name); name != "" && l.names[locale] == "" {
			l.names[locale] = name
		}
	}
}

func (c catalog) skills() []source.Skill {
	skills := make([]source.Skill, 0, len(c))
	for id, l := range c {
		s := source.Skill{ID: id, Vendor: l.vendor, Stages: slices.Sorted(maps.Keys(l.stages)), Name: l.names["en-US"]}
		for _, locale := range slices.Sorted(maps.Keys(l.names)) {
			s.Name = cmp.Or(s.Name, l.names[locale])
		}
		skills = append(skills, s)
	}
	slices.SortFunc(skills, func(a, b source.Skill) int { return cmp.Compare(a.ID, b.ID) })
	return skills
}

// clean makes text of strangers fit for a terminal: no control or formatting
// characters, and an end.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, ""))
	if r := []rune(s); len(r) > maxName {
		s = string(r[:maxName])
	}
	return strings.TrimSpace(s)
}
