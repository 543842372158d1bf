// Package fault is how the parts of a configuration say what is wrong with
// them: each adapter checks its own settings, and the configuration loader puts
// file and line to what they found.
package fault

// A Fault is one thing wrong with a configuration.
type Fault struct {
	Field   string // path of keys below the value that was checked, dotted: "auth.approle"; empty = the value itself
	Problem string // what is wrong: "missing", `"ftp" is not a scheme that works here`
	Hint    string // the way out, as an order: "set it to the address of Vault"
}

// A List collects faults, so that all are told at once. The zero List is empty
// and ready to use.
type List []Fault

// Add appends a fault.
func (l *List) Add(field, problem, hint string) {
	*l = append(*l, Fault{Field: field, Problem: problem, Hint: hint})
}

// Within appends the faults of a part that stands at field.
func (l *List) Within(field string, part List) {
	for _, f := range part {
		switch {
		case f.Field == "":
			f.Field = field
		case field != "":
			f.Field = field + "." + f.Field
		}
		*l = append(*l, f)
	}
}
