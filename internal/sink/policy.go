package sink

// A Policy is what an administrator of a sink has to grant, in the sink's own
// language, and nothing beside it.
type Policy struct {
	For      string // who is to have it, as a heading says it
	Language string // hcl or json; empty: Text is a word to the administrator
	Text     string // ends with a newline
}
