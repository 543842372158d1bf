package e2e

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// image is the name that the tests build under.
const image = "localhost/credsync"

// maxImage is how large the image may get.
const maxImage = 30 << 20

// imageUser is whom the image runs as.
const imageUser = 65532

// TestTheImage builds the Dockerfile, in a stand-in for the official image of Go,
// and runs the outcome with everything taken away that a cluster can take.
func TestTheImage(t *testing.T) {
	w := newWorld(t, 3)
	buildImage(t)
	t.Run("it is small, has no root, and says what it is", func(t *testing.T) { inspectImage(t) })
	t.Run("nothing else is in it", listImage)
	t.Run("it runs on a root that is read-only", func(t *testing.T) {
		if got := tool(t, "podman", container("version")...); !strings.Contains(got, "commit   "+strings.TrimSpace(tool(t, "git", "rev-parse", "HEAD"))) {
			t.Errorf("version says\n%s", got)
		}
		tool(t, "podman", container("--tmpfs=/tmp", "demo")...)
	})

	w.sinks["disk"] = settings{"file": settings{"dir": "/srv/secrets", "name": "{skill_id}.json"}}
	w.job["time_zone"], w.job["schedule"] = "Europe/Berlin", "0 0 1 1 *" // the image has no other time zones than the binary's
	w.more["audit"], w.more["http"] = settings{"stream": "stdout"}, settings{"listen": freeAddress(t)}
	delete(w.more, "state_dir")
	w.write("credsync.yaml", readFile(t, w.configure()))
	secrets := t.TempDir()
	for _, path := range []string{w.dir, secrets} {
		own(t, path)
	}
	mounts := []string{"--volume=" + w.dir + ":/etc/credsync:ro", "--volume=" + secrets + ":/srv/secrets"}
	t.Run("it syncs", func(t *testing.T) {
		for _, want := range []string{`"created":3`, `"unchanged":3`} {
			if got := tool(t, "podman", container(append(mounts, "sync", "-o", "json")...)...); !strings.Contains(got, want) {
				t.Errorf("want %s:\n%s", want, got)
			}
		}
	})
	t.Run("it is healthy", func(t *testing.T) {
		name := "credsync-" + strconv.Itoa(os.Getpid())
		args := append(append([]string{"--name=" + name, "--detach"}, mounts...), "run")
		tool(t, "podman", container(args...)...)
		t.Cleanup(func() { _ = exec.Command("podman", "rm", "--force", name).Run() })
		until(t, time.Minute, "the daemon is healthy", func() bool {
			return exec.CommandContext(t.Context(), "podman", "healthcheck", "run", name).Run() == nil
		})
	})
}

// buildImage builds it once more, in the caches of this machine.
func buildImage(t *testing.T) {
	t.Helper()
	for _, name := range []string{"buildah", "podman", "runc", "busybox"} {
		if _, err := exec.LookPath(name); err != nil {
			missing(t, name, "install the packages buildah podman runc busybox-static, as .ci/run does")
		}
	}
	if os.Geteuid() != 0 {
		missing(t, "the right to build an image", "run as root")
	}
	tool(t, "./golang", "localhost/golang")
	modules, cache := strings.TrimSpace(tool(t, "go", "env", "GOMODCACHE")), strings.TrimSpace(tool(t, "go", "env", "GOCACHE"))
	tool(t, "env", "ENGINE=buildah", "GO=localhost/golang", "../release/image", image, "--isolation", "chroot", "--network", "host",
		"--volume", modules+":/go/pkg/mod", "--volume", cache+":/root/.cache/go-build")
}

// container are the arguments that run args in the image with no right at all.
// What podman is told comes first, up to the command.
func container(args ...string) []string {
	command := slices.IndexFunc(args, func(a string) bool { return !strings.HasPrefix(a, "--") })
	podman := []string{
		"--runtime=runc", "--cgroup-manager=cgroupfs", "run", "--network=host", "--ulimit=nofile=1024:1024", "--ulimit=nproc=512:512",
		"--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges",
	}
	if !slices.Contains(args, "--detach") {
		podman = append(podman, "--rm")
	}
	return append(append(append(podman, args[:command]...), image), args[command:]...)
}

func inspectImage(t *testing.T) {
	t.Helper()
	var found []struct {
		Size        int64
		Config      struct{ User string }
		Labels      map[string]string
		HealthCheck struct{ Test []string }
	}
	if err := json.Unmarshal([]byte(tool(t, "podman", "image", "inspect", image)), &found); err != nil {
		t.Fatal(err)
	}
	i := found[0]
	if i.Size > maxImage {
		t.Errorf("it has %d bytes, want %d at most", i.Size, maxImage)
	}
	if want := strconv.Itoa(imageUser) + ":" + strconv.Itoa(imageUser); i.Config.User != want {
		t.Errorf("it runs as %q, want %s", i.Config.User, want)
	}
	if want := []string{"CMD", "/credsync", "healthcheck"}; !slices.Equal(i.HealthCheck.Test, want) {
		t.Errorf("its health is asked by %q", i.HealthCheck.Test)
	}
	for _, label := range []string{"title", "source", "licenses", "version", "revision", "created"} {
		if i.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("no label %s in %q", label, i.Labels)
		}
	}
}

func listImage(t *testing.T) {
	name := strings.TrimSpace(tool(t, "podman", "create", image))
	t.Cleanup(func() { _ = exec.Command("podman", "rm", "--force", name).Run() })
	archive := filepath.Join(t.TempDir(), "image.tar")
	tool(t, "podman", "export", "--output", archive, name)
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var files []string
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Name == "var/lib/credsync/" && h.Uid != imageUser {
			t.Errorf("%s belongs to %d", h.Name, h.Uid)
		}
		if h.Typeflag == tar.TypeReg && h.Size > 0 {
			files = append(files, h.Name)
		}
	}
	if want := []string{"credsync", "etc/ssl/certs/ca-certificates.crt"}; !slices.Equal(files, want) {
		t.Errorf("in it are %q, want %q", files, want)
	}
}

// own gives a directory and what is in it to the image's user.
func own(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, imageUser, imageUser)
	})
	if err != nil {
		t.Fatal(err)
	}
}
