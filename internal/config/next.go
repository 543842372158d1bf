package config

import "reflect"

// fixed are the settings of what a process opens once and never anew.
func (c *Config) fixed() map[string]any {
	return map[string]any{"state_dir": c.StateDir, "audit": c.Audit, "http": c.HTTP}
}

// laterLines returns where the keys stand that can be spoken of after loading.
func laterLines(doc *document) map[string]int {
	lines := map[string]int{"http.listen": doc.line(keys{"http", "listen"})}
	for key := range (&Config{}).fixed() {
		lines[key] = doc.line(keys{key})
	}
	return lines
}

// CheckNext reports what keeps a daemon that works by c from going over to next
// while it runs. The error is an [*Error] about the file of next.
func (c *Config) CheckNext(next *Config) error {
	var problems []Problem
	now := c.fixed()
	for key, then := range next.fixed() {
		if !reflect.DeepEqual(now[key], then) {
			problems = append(problems, Problem{
				File: next.Path, Line: next.lines[key], Key: key, Problem: "can't change while the daemon runs",
				Hint: "restart it (systemctl restart credsync), or take the change back",
			})
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &Error{Problems: inOrder(problems), SHA256: next.SHA256}
}
