package e2e

import (
	_ "embed"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"text/template"
	"time"
)

//go:embed measure.md.tmpl
var measured string

// write writes ../docs/benchmarks.md and the plot of the memory.
func (f *findings) write() {
	f.t.Helper()
	page := template.Must(template.New("").Funcs(template.FuncMap{
		"mib":    mebibytes,
		"spread": func(form string, s spread) string { return s.format(form) },
		"go":     goBenchmarks,
	}).Parse(measured))
	out, err := os.Create("../docs/benchmarks.md")
	if err != nil {
		f.t.Fatal(err)
	}
	defer out.Close()
	if err := page.Execute(out, f); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile("../docs/memory.svg", []byte(f.memoryPlot().svg()), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *findings) memoryPlot() plot {
	p := plot{Title: "Memory that a run with nothing changed holds at most", X: "skills", Y: "MiB", Log: true}
	for i, sink := range []string{"file", "vault_kv", "aws_secrets_manager"} {
		name := []string{"file", "Vault", "AWS"}[i]
		peak, asked := curve{Name: name, Colour: i}, curve{Name: name + ", at most", Colour: i, Dashed: true}
		for _, m := range f.Memory {
			if m.Sink == sink && m.Run == "nothing changed" {
				peak.add(float64(m.Skills), float64(m.Peak)/(1<<20))
				asked.add(float64(m.Skills), float64(m.Asked)/(1<<20))
			}
		}
		p.Lines = append(p.Lines, peak, asked)
	}
	return p
}

// machine says what the figures were taken on.
func machine() []string {
	model := "a processor of unknown make"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if found := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(info); found != nil {
			model = string(found[1])
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(load), " ")
	return []string{
		time.Now().UTC().Format(time.DateOnly),
		model + ", " + said("nproc") + " processors in use, " + runtime.GOOS + " " + said("uname", "-r") + ", load at the start " + first,
		runtime.Version() + ", Node " + said("node", "--version") + ", Vault's core " + said("go", "-C", "vaultserver", "list", "-m", "-f", "{{.Version}}", "github.com/hashicorp/vault"),
	}
}

// commit names what is measured: what was written of it is not part of that.
func commit() string {
	if said("git", "status", "--porcelain", "--", ":/", ":!/docs") != "" {
		return said("git", "describe", "--always", "--dirty")
	}
	return said("git", "describe", "--always")
}

// said returns what a program says.
func said(name string, args ...string) string {
	b, err := exec.Command(name, args...).Output()
	if err != nil {
		return "none"
	}
	return strings.TrimSpace(string(b))
}

// goBenchmarks returns what go test -bench wrote before, if it did: the first
// measurement of each benchmark.
func goBenchmarks() string {
	b, err := os.ReadFile("../bin/bench.txt")
	if err != nil {
		return ""
	}
	var lines []string
	seen := make(map[string]bool)
	for line := range strings.Lines(string(b)) {
		name, _, _ := strings.Cut(line, " ")
		if strings.HasPrefix(name, "Benchmark") && !seen[name] {
			lines, seen[name] = append(lines, strings.TrimRight(line, "\n")), true
		}
	}
	return strings.Join(lines, "\n")
}
