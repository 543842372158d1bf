// Package kubernetes tests the manifests beside it: they render, hold nothing that
// the API does not know, and pass the strictest standard for pods.
package kubernetes

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

var (
	overlays   = []string{"cronjob", "deployment", "indexed"}
	components = []string{"persistent-state", "podmonitor", "vault-kubernetes-auth"}
)

// objects are what was rendered, by KIND/NAME.
type objects map[string]runtime.Object

// render makes the objects of an overlay with components, as kubectl apply -k
// does, and reads them as strictly as the API server does: an unknown field, or one
// that is there twice, is an error.
func render(t *testing.T, overlay string, components ...string) objects {
	t.Helper()
	fs := filesys.MakeFsOnDisk()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	up, err := filepath.Rel(dir, here)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("resources: [%s/overlays/%s]\ncomponents:\n", up, overlay)
	for _, c := range components {
		text += fmt.Sprintf("- %s/components/%s\n", up, c)
	}
	if err := fs.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text)); err != nil {
		t.Fatal(err)
	}
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(fs, dir)
	if err != nil {
		t.Fatal(err)
	}
	found := make(objects)
	for _, r := range rendered.Resources() {
		yaml, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		found[r.GetKind()+"/"+r.GetName()] = decode(t, yaml)
	}
	return found
}

func decode(t *testing.T, yaml []byte) runtime.Object {
	t.Helper()
	object, err := strictly(yaml)
	if err != nil {
		t.Fatalf("%v in\n%s", err, yaml)
	}
	return object
}

func strictly(yaml []byte) (runtime.Object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{apps.AddToScheme, batch.AddToScheme, core.AddToScheme, networking.AddToScheme, monitoring.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	s := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	object, _, err := s.Decode(yaml, nil, nil)
	return object, err
}

// template returns the pod template of the workload, whichever it is.
func (o objects) template(t *testing.T) core.PodTemplateSpec {
	t.Helper()
	if c, ok := o["CronJob/credsync"].(*batch.CronJob); ok {
		return c.Spec.JobTemplate.Spec.Template
	}
	if d, ok := o["Deployment/credsync"].(*apps.Deployment); ok {
		return d.Spec.Template
	}
	t.Fatalf("no workload in %v", slices.Sorted(maps.Keys(o)))
	return core.PodTemplateSpec{}
}

// TestPodsAreRestricted holds each overlay, alone and with all components, against
// the Pod Security Standard "restricted", and follows each name to what it names.
func TestPodsAreRestricted(t *testing.T) {
	for _, overlay := range overlays {
		for _, with := range [][]string{nil, components} {
			t.Run(fmt.Sprint(overlay, with), func(t *testing.T) {
				o := render(t, overlay, with...)
				template := o.template(t)
				if problems := violations(t, template); len(problems) > 0 {
					t.Errorf("not restricted: %q", problems)
				}
				if template.Spec.AutomountServiceAccountToken == nil || *template.Spec.AutomountServiceAccountToken {
					t.Error("the pod has a token of the service account")
				}
				o.follow(t, template)
			})
		}
	}
}

// follow looks whether what the pod refers to is there. The Secret is its
// operator's to make.
func (o objects) follow(t *testing.T, template core.PodTemplateSpec) {
	t.Helper()
	if o["ServiceAccount/"+template.Spec.ServiceAccountName] == nil {
		t.Errorf("no service account %s", template.Spec.ServiceAccountName)
	}
	volumes := make(map[string]bool)
	for _, v := range template.Spec.Volumes {
		volumes[v.Name] = true
		if c := v.PersistentVolumeClaim; c != nil && o["PersistentVolumeClaim/"+c.ClaimName] == nil {
			t.Errorf("no claim %s", c.ClaimName)
		}
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			if source.ConfigMap != nil && o["ConfigMap/"+source.ConfigMap.Name] == nil {
				t.Errorf("no ConfigMap %s", source.ConfigMap.Name)
			}
		}
	}
	for _, m := range template.Spec.Containers[0].VolumeMounts {
		if !volumes[m.Name] {
			t.Errorf("no volume %s", m.Name)
		}
	}
	if template.Labels["app.kubernetes.io/name"] != "credsync" {
		t.Errorf("nothing selects a pod with the labels %v", template.Labels)
	}
}

// violations says why a pod would not be let into the namespace.
func violations(t *testing.T, template core.PodTemplateSpec) []string {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, r := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &template.ObjectMeta, &template.Spec) {
		if !r.Allowed {
			problems = append(problems, r.ForbiddenReason+": "+r.ForbiddenDetail)
		}
	}
	return problems
}

// TestWhatIsWrongIsFound keeps the tests above honest.
func TestWhatIsWrongIsFound(t *testing.T) {
	template := render(t, "cronjob").template(t)
	template.Spec.SecurityContext.RunAsNonRoot = nil
	template.Spec.Containers[0].SecurityContext.Capabilities = nil
	if problems := violations(t, template); len(problems) != 2 {
		t.Errorf("found only %q", problems)
	}
	if _, err := strictly([]byte("apiVersion: batch/v1\nkind: CronJob\nspec: {concurencyPolicy: Forbid}\n")); err == nil {
		t.Error("a key that the API does not know passes")
	}
}

// TestAnIndexedJobSharesTheList: as many parts as pods.
func TestAnIndexedJobSharesTheList(t *testing.T) {
	job := render(t, "indexed")["CronJob/credsync"].(*batch.CronJob).Spec.JobTemplate.Spec
	var shards string
	for _, e := range job.Template.Spec.Containers[0].Env {
		if e.Name == "CREDSYNC_SHARDS" {
			shards = e.Value
		}
	}
	if *job.CompletionMode != batch.IndexedCompletion || fmt.Sprint(*job.Completions) != shards || *job.Parallelism != *job.Completions {
		t.Errorf("%s, %d completions, %d at once, %s shards", *job.CompletionMode, *job.Completions, *job.Parallelism, shards)
	}
	if job.BackoffLimit != nil {
		t.Error("a limit for the whole job, beside that for each part")
	}
}

// TestTheDeploymentIsProbed where the configuration says that it listens.
func TestTheDeploymentIsProbed(t *testing.T) {
	c := render(t, "deployment").template(t).Spec.Containers[0]
	for path, probe := range map[string]*core.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
		if probe.HTTPGet.Path != path || probe.HTTPGet.Port.StrVal != c.Ports[0].Name {
			t.Errorf("%s is probed by %+v", path, probe.HTTPGet)
		}
	}
	config, err := os.ReadFile("base/credsync.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf(":%d\"", c.Ports[0].ContainerPort); !bytes.Contains(config, []byte(want)) {
		t.Errorf("the configuration does not listen on %s", want)
	}
}

// TestTheConfigurationIsGood has credsync check what is in the ConfigMap.
func TestTheConfigurationIsGood(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"lwa-client-secret": "not-to-be-shown", "refresh-token": "not-to-be-shown", "role-id": "not-to-be-shown", "secret-id": "not-to-be-shown"}
	for name, object := range render(t, "deployment") {
		if c, ok := object.(*core.ConfigMap); ok && strings.HasPrefix(name, "ConfigMap/credsync-") {
			maps.Copy(files, c.Data)
		}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "./cmd/credsync", "-c", filepath.Join(dir, "credsync.yaml"), "check")
	cmd.Dir = "../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
