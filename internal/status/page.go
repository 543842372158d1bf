package status

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The page as a browser gets it: templates, and the assets that they name. There
// is no build step; what is in the repository is what is served.
//
//go:embed page
var pageFiles embed.FS

// assetTypes are the files that are served as they are, with their types.
var assetTypes = map[string]string{
	"page.css": "text/css; charset=utf-8",
	"page.js":  "text/javascript; charset=utf-8",
	"icon.svg": "image/svg+xml",
}

const assetPath = "/assets/"

// A site is the status page, and what it needs beside.
type site struct {
	report    func(Filter) Report
	templates *template.Template
	assets    map[string][]byte // by path
	edition   string            // of the assets
}

// StatusPage returns the page that shows at / what report returns for the
// [Filter] in the query; /assets/ is what it needs beside. It works without
// JavaScript, loads nothing from elsewhere, and changes nothing. It is safe for
// concurrent use if report is.
func StatusPage(report func(Filter) Report) http.Handler {
	p := &site{report: report, assets: make(map[string][]byte)}
	p.templates = template.Must(template.New("").Funcs(pageFuncs).ParseFS(pageFiles, "page/*.html"))
	hash := sha256.New()
	for name := range assetTypes {
		p.assets[assetPath+name] = embedded(name)
	}
	for _, name := range []string{"page.css", "page.js"} {
		hash.Write(p.assets[assetPath+name])
	}
	p.edition = hex.EncodeToString(hash.Sum(nil)[:6])
	return p
}

func embedded(name string) []byte {
	b, err := fs.ReadFile(pageFiles, "page/"+name)
	if err != nil {
		panic(err) // it was compiled in
	}
	return b
}

func (p *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if asset, ok := p.assets[r.URL.Path]; ok {
		w.Header().Set("Content-Type", assetTypes[strings.TrimPrefix(r.URL.Path, assetPath)])
		_, _ = w.Write(asset) // whoever asked has gone
		return
	}
	if r.URL.Path != "/" {
		plain(w, http.StatusNotFound, "there is nothing here; the status page is at /")
		return
	}
	code, filter := http.StatusOK, Filter{}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		err = errors.New("the address can't be read")
	} else {
		filter, err = ParseFilter(query)
	}
	if err != nil {
		code, filter = http.StatusBadRequest, Filter{}
	}
	var body bytes.Buffer
	if fault := p.write(&body, filter, err); fault != nil { // nothing in a Report can't be shown
		plain(w, http.StatusInternalServerError, "the page could not be written")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(body.Bytes())
}

// write writes the page for f. Fault says what is wrong with the address.
func (p *site) write(out *bytes.Buffer, f Filter, fault error) error {
	v := view{Report: p.report(f), Filter: f, Edition: p.edition}
	if fault != nil {
		v.Faults = strings.Split(fault.Error(), "\n")
	}
	return p.templates.ExecuteTemplate(out, "page.html", v)
}

// A view is what the templates show: a report, and what follows from it.
type view struct {
	Report
	Filter  Filter
	Faults  []string // of the address
	Edition string   // of the assets: a page that stands open loads itself anew when it changes
}

// JobNames and SinkNames are what the filter offers.
func (v view) JobNames() (names []string) {
	for _, j := range v.Jobs {
		names = append(names, j.Name)
	}
	return names
}

func (v view) SinkNames() (names []string) {
	for _, j := range v.Jobs {
		names = append(names, j.Sinks...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Filtered reports whether rows are left out.
func (v view) Filtered() bool {
	return v.Filter.Job != "" || v.Filter.Sink != "" || len(v.Filter.Outcome) > 0 || v.Filter.Text != ""
}
