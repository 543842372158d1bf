package status

import (
	"iter"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// A node is a part of a page as a browser reads it.
type node struct {
	*testing.T
	*html.Node
}

// browse returns the page at target, as h serves it.
func browse(t *testing.T, h http.Handler, target string) node {
	t.Helper()
	target, _, _ = strings.Cut(target, "#") // a browser keeps it to itself
	w := get(h, target)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%s: got %d %s", target, w.Code, w.Header().Get("Content-Type"))
	}
	return parse(t, w.Body.String())
}

func parse(t *testing.T, text string) node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return node{t, doc}
}

// all yields the elements in n of which attribute key has the word value; with
// value "", all that have it; with key "", all elements.
func (n node) all(key, value string) iter.Seq[node] {
	return func(yield func(node) bool) {
		for d := range n.Descendants() {
			e := node{n.T, d}
			if d.Type == html.ElementNode && e.has(key, value) && !yield(e) {
				return
			}
		}
	}
}

func (n node) has(key, value string) bool {
	if key == "" {
		return true
	}
	for _, a := range n.Attr {
		if a.Key == key {
			return value == "" || a.Val == value || key == "class" && strings.Contains(" "+a.Val+" ", " "+value+" ")
		}
	}
	return false
}

// tags yields the elements in n of these kinds.
func (n node) tags(names ...string) iter.Seq[node] {
	return func(yield func(node) bool) {
		for e := range n.all("", "") {
			for _, name := range names {
				if e.Data == name && !yield(e) {
					return
				}
			}
		}
	}
}

// one returns the first element with such an attribute; without one the test is over.
func (n node) one(key, value string) node {
	n.Helper()
	for e := range n.all(key, value) {
		return e
	}
	n.Fatalf("nothing has %s=%q", key, value)
	return node{}
}

func (n node) attr(key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// text is what n says, with single spaces.
func (n node) text() string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func count[T any](s iter.Seq[T]) (n int) {
	for range s {
		n++
	}
	return n
}

func first(s iter.Seq[node]) (n node) {
	for n = range s {
		break
	}
	return n
}
