package e2e

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"debug/buildinfo"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// artifact returns the one file of the release in dist/ whose name matches.
func artifact(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("../dist", pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 {
		missing(t, "a release in dist/ (one "+pattern+")", "run make packages")
	}
	path, err := filepath.Abs(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// tool runs a program that has to succeed, and returns what it printed.
func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(t, name, "install its package, as .ci/run does")
	}
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestAReleaseIsReproducible makes it once more, elsewhere: each file is the same
// to the byte.
func TestAReleaseIsReproducible(t *testing.T) {
	t.Parallel()
	sums := readFile(t, artifact(t, "SHA256SUMS"))
	again := filepath.Join(t.TempDir(), "a", "much", "longer", "way")
	tool(t, "../release/snapshot", again)
	if diff := cmp.Diff(sums, readFile(t, filepath.Join(again, "SHA256SUMS"))); diff != "" {
		t.Errorf("not the same (is dist/ of this commit?):\n%s", diff)
	}
	if n := strings.Count(sums, "\n"); n != 14 {
		t.Errorf("%d files have checksums:\n%s", n, sums)
	}
	for line := range strings.Lines(sums) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if readFile(t, filepath.Join("../dist", name)) != readFile(t, filepath.Join(again, name)) {
			t.Errorf("%s is another than its checksum says", name)
		}
	}
}

// TestAnArchiveHoldsWhatTheGuidesName looks into those of all systems.
func TestAnArchiveHoldsWhatTheGuidesName(t *testing.T) {
	t.Parallel()
	want := []string{
		"CHANGELOG.md", "LICENSE", "README.md", "completions/credsync.bash", "completions/credsync.fish", "completions/credsync.zsh",
		"configs/credsync.schema.json", "configs/credsync.yaml", "configs/minimal.yaml", "docs/install.md", "docs/operations.md", "licences.txt",
		"man/credsync.1", "man/credsync.yaml.5", "systemd/credsync-sync.service", "systemd/credsync-sync.timer", "systemd/credsync.service",
	}
	for _, system := range []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64"} {
		binary, ext, names := "credsync", ".tar.gz", namesInTar
		if strings.HasPrefix(system, "windows") {
			binary, ext, names = "credsync.exe", ".zip", namesInZip
		}
		held := names(t, artifact(t, "credsync_*_"+system+ext))
		for _, name := range append(want, binary) {
			if !slices.Contains(held, name) {
				t.Errorf("%s lacks %s; it has %q", system, name, held)
			}
		}
	}
}

func namesInTar(t *testing.T, path string) (names []string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, below(h.Name))
	}
}

func namesInZip(t *testing.T, path string) (names []string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		names = append(names, below(f.Name))
	}
	return names
}

// below is a name without the directory that the whole archive is in.
func below(name string) string {
	_, rest, _ := strings.Cut(name, "/")
	return rest
}

// TestTheBillOfMaterialsIsTrue holds it against the schema of CycloneDX, and
// against what the linker wrote into the binary.
func TestTheBillOfMaterialsIsTrue(t *testing.T) {
	t.Parallel()
	schema := cyclonedx(t)
	for _, system := range []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64"} {
		text := readFile(t, artifact(t, "credsync_*_"+system+".cdx.json"))
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", system, err)
		}
		var bom cdx.BOM
		if err := cdx.NewBOMDecoder(strings.NewReader(text), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
			t.Fatal(err)
		}
		said := make(map[string]string)
		for _, c := range *bom.Components {
			said[c.Name] = c.Version
			if c.Name != "std" && (c.Evidence == nil || c.Evidence.Licenses == nil) {
				t.Errorf("%s: %s has no licence", system, c.Name)
			}
		}
		info, err := buildinfo.ReadFile(artifact(t, "credsync_"+system+"*/credsync*"))
		if err != nil {
			t.Fatal(err)
		}
		linked := map[string]string{"std": info.GoVersion}
		for _, m := range info.Deps {
			linked[m.Path] = m.Version
		}
		if diff := cmp.Diff(linked, said); diff != "" {
			t.Errorf("%s (-linked +said):\n%s", system, diff)
		}
	}
}

// cyclonedx compiles the schema of CycloneDX 1.6, which comes with the
// foundation's own module.
func cyclonedx(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir := strings.TrimSpace(tool(t, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go"))
	c := jsonschema.NewCompiler()
	for url, name := range map[string]string{
		"http://cyclonedx.org/schema/spdx.schema.json": "spdx.schema.json", "http://cyclonedx.org/schema/jsf-0.82.schema.json": "jsf-0.82.schemax.json",
		"http://cyclonedx.org/schema/bom-1.6.schema.json": "bom-1.6.schema.json",
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(readFile(t, filepath.Join(dir, "schema", name))))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(url, doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
