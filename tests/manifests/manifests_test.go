// Package manifests reads deploy/kubernetes and deploy/compose.yaml as Kubernetes, KEDA, the Prometheus Operator and
// Compose read them: with their own types, and strictly, so that a field that does not exist is an error.
package manifests

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	keda "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const deploy = "../../deploy"

func decoder(t *testing.T) runtime.Decoder {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		apps.AddToScheme, core.AddToScheme, networking.AddToScheme, policy.AddToScheme, monitoring.AddToScheme, keda.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
}

// build gives the objects of an overlay, each decoded by its type.
func build(t *testing.T, path string) []runtime.Object {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(deploy, "kubernetes", path))
	if err != nil {
		t.Fatal(err)
	}
	decode := decoder(t)
	var objects []runtime.Object
	for _, resource := range resources.Resources() {
		text, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, kind, err := decode.Decode(text, nil, nil)
		if err != nil {
			t.Fatalf("%s: %s %s: %v\n%s", path, resource.GetKind(), resource.GetName(), err, text)
		}
		t.Logf("%s: %s %s", path, kind, resource.GetName())
		objects = append(objects, object)
	}
	return objects
}

func only[T runtime.Object](t *testing.T, objects []runtime.Object) T {
	t.Helper()
	var found []T
	for _, object := range objects {
		if one, ok := object.(T); ok {
			found = append(found, one)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d of %T, expected one", len(found), *new(T))
	}
	return found[0]
}

func matches(t *testing.T, selector *meta.LabelSelector, of map[string]string) {
	t.Helper()
	compiled, err := meta.LabelSelectorAsSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	if compiled.Empty() || !compiled.Matches(labels.Set(of)) {
		t.Errorf("selector %v does not choose the pods, which have %v", selector, of)
	}
}

func TestOverlays(t *testing.T) {
	for _, path := range []string{"base", "overlays/development", "overlays/production"} {
		t.Run(path, func(t *testing.T) {
			objects := build(t, path)
			deployment := only[*apps.Deployment](t, objects)
			pod := deployment.Spec.Template
			container := pod.Spec.Containers[0]
			matches(t, deployment.Spec.Selector, pod.Labels)
			matches(t, &meta.LabelSelector{MatchLabels: only[*core.Service](t, objects).Spec.Selector}, pod.Labels)
			matches(t, only[*policy.PodDisruptionBudget](t, objects).Spec.Selector, pod.Labels)
			matches(t, &only[*networking.NetworkPolicy](t, objects).Spec.PodSelector, pod.Labels)
			for _, spread := range pod.Spec.TopologySpreadConstraints {
				matches(t, spread.LabelSelector, pod.Labels)
			}
			security := container.SecurityContext
			if !*pod.Spec.SecurityContext.RunAsNonRoot || !*security.ReadOnlyRootFilesystem || *security.AllowPrivilegeEscalation ||
				len(security.Capabilities.Drop) != 1 || security.Capabilities.Drop[0] != "ALL" {
				t.Errorf("the pod has more rights than it needs: %+v", security)
			}
			if container.LivenessProbe.HTTPGet.Path != "/livez" || container.ReadinessProbe.HTTPGet.Path != "/readyz" {
				t.Error("probes")
			}
			if container.LivenessProbe.HTTPGet.Port.StrVal != container.Ports[0].Name {
				t.Error("the probes ask a port that the container does not have")
			}
			settings := mounted(t, objects, deployment)
			timeout := regexp.MustCompile(`(?m)^shutdown_timeout = (\d+)$`).FindStringSubmatch(settings)
			if timeout == nil {
				t.Fatal("the settings have no shutdown_timeout")
			}
			// closing takes up to 8 seconds more when a broker is away
			if seconds, _ := strconv.ParseInt(timeout[1], 10, 64); *pod.Spec.TerminationGracePeriodSeconds < seconds+12 {
				t.Errorf("terminationGracePeriodSeconds %d is less than shutdown_timeout %d + 12", *pod.Spec.TerminationGracePeriodSeconds, seconds)
			}
		})
	}
}

// mounted finds every volume among the objects and gives the worker's settings.
func mounted(t *testing.T, objects []runtime.Object, deployment *apps.Deployment) string {
	t.Helper()
	maps, secrets := map[string]*core.ConfigMap{}, map[string]*core.Secret{}
	for _, object := range objects {
		switch object := object.(type) {
		case *core.ConfigMap:
			maps[object.Name] = object
		case *core.Secret:
			secrets[object.Name] = object
		}
	}
	settings := ""
	for _, volume := range deployment.Spec.Template.Spec.Volumes {
		switch {
		case volume.ConfigMap != nil:
			if maps[volume.ConfigMap.Name] == nil {
				t.Fatalf("no ConfigMap %s", volume.ConfigMap.Name)
			}
			settings = maps[volume.ConfigMap.Name].Data["rasid.toml"]
		case volume.Secret != nil:
			secret := secrets[volume.Secret.SecretName]
			if secret == nil || len(secret.Data["username"]) == 0 || len(secret.Data["password"]) == 0 {
				t.Fatalf("no Secret %s with username and password", volume.Secret.SecretName)
			}
		}
	}
	return settings
}

func TestProductionScalesOnLagAndIsScraped(t *testing.T) {
	objects := build(t, "overlays/production")
	deployment := only[*apps.Deployment](t, objects)
	scaled := only[*keda.ScaledObject](t, objects)
	if deployment.Spec.Replicas != nil {
		t.Error("KEDA and the Deployment both set the number of replicas")
	}
	if scaled.Spec.ScaleTargetRef.Name != deployment.Name {
		t.Errorf("scales %s", scaled.Spec.ScaleTargetRef.Name)
	}
	trigger := scaled.Spec.Triggers[0]
	if trigger.Type != "kafka" || trigger.AuthenticationRef.Name != only[*keda.TriggerAuthentication](t, objects).Name {
		t.Errorf("%+v", trigger)
	}
	settings := mounted(t, objects, deployment)
	for name, key := range map[string]string{"topic": "input", "consumerGroup": "group", "bootstrapServers": "brokers"} {
		if !strings.Contains(settings, key+" = \""+trigger.Metadata[name]+"\"\n") {
			t.Errorf("%s of the trigger is %q, the settings say otherwise:\n%s", name, trigger.Metadata[name], settings)
		}
	}
	if lag, err := strconv.Atoi(trigger.Metadata["lagThreshold"]); err != nil || lag != threshold(t, objects) {
		t.Errorf("lagThreshold is %d (%v), by the sizing guide %d", lag, err, threshold(t, objects))
	}
	monitor := only[*monitoring.PodMonitor](t, objects)
	matches(t, &monitor.Spec.Selector, deployment.Spec.Template.Labels)
	if *monitor.Spec.PodMetricsEndpoints[0].Port != deployment.Spec.Template.Spec.Containers[0].Ports[0].Name {
		t.Error("the monitor scrapes a port that the container does not have")
	}
}

func TestRules(t *testing.T) {
	const base = "https://runbook.example/RUNBOOK.md"
	text, err := exec.Command(filepath.Join(deploy, "kubernetes/rules.sh"), base).Output()
	if err != nil {
		t.Fatal(err)
	}
	runbook, err := os.ReadFile("../../docs/RUNBOOK.md")
	if err != nil {
		t.Fatal(err)
	}
	decode := decoder(t)
	alerts := 0
	for _, document := range strings.Split(string(text), "---\n")[1:] {
		object, _, err := decode.Decode([]byte(document), nil, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, document)
		}
		for _, group := range object.(*monitoring.PrometheusRule).Spec.Groups {
			for _, rule := range group.Rules {
				if rule.Alert == "" {
					continue
				}
				alerts++
				link := rule.Annotations["runbook_url"]
				if link != base+"#"+strings.ToLower(rule.Alert) || !strings.Contains(string(runbook), "\n## "+rule.Alert+"\n") {
					t.Errorf("%s: runbook_url %q leads to no section", rule.Alert, link)
				}
			}
		}
	}
	if alerts < 12 {
		t.Errorf("%d alerts", alerts)
	}
}

func TestUnknownFieldsAreErrors(t *testing.T) {
	_, _, err := decoder(t).Decode([]byte("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {prots: []}\n"), nil, nil)
	if err == nil || !strings.Contains(err.Error(), "prots") {
		t.Fatalf("the check is blind: %v", err)
	}
}

func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(deploy, "compose.yaml")}, cli.WithoutEnvironmentResolution)
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type != "bind" {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s mounts what is not there: %v", name, err)
			}
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to everyone", name, port.Published)
			}
		}
		t.Logf("%s: %s", name, service.Image)
	}
	for _, name := range []string{"kafka", "topics", "rasid", "prometheus", "grafana", "feeder"} {
		if _, there := project.Services[name]; !there {
			t.Errorf("no service %s", name)
		}
	}
}

// threshold follows the sizing guide: articles a second of one worker times seconds of lag, to one figure.
func threshold(t *testing.T, objects []runtime.Object) int {
	t.Helper()
	text, err := os.ReadFile("../../docs/PERFORMANCE.md")
	if err != nil {
		t.Fatal(err)
	}
	of := func(row string) float64 {
		found := regexp.MustCompile(`(?m)^\| ` + row + ` \| ([\d.,]+) \|`).FindStringSubmatch(string(text))
		if found == nil {
			t.Fatalf("docs/PERFORMANCE.md has no line %q", row)
		}
		value, err := strconv.ParseFloat(strings.ReplaceAll(found[1], ",", ""), 64)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	cores := only[*apps.Deployment](t, objects).Spec.Template.Spec.Containers[0].Resources.Requests.Cpu().AsApproximateFloat64()
	rate := cores * 1e6 / of("CPU-seconds a million articles")
	if shown := of("articles a second of one worker"); math.Abs(shown-rate) > 50 || of("cores of a worker") != cores {
		t.Errorf("the sizing guide says %g articles/s where %g cores make %g", shown, cores, rate)
	}
	lag := rate * of("seconds of lag")
	figure := math.Pow(10, math.Floor(math.Log10(lag)))
	value := int(math.Floor(lag/figure) * figure)
	if shown := of("`lagThreshold`"); int(shown) != value {
		t.Errorf("the sizing guide says %g where its formula gives %d", shown, value)
	}
	return value
}
