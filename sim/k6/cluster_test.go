package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/klauspost/compress/snappy"
)

// testRun is as much of k6-operator's TestRun (k6.io/v1alpha1) as a manifest of
// ours may use, with the names of its api/v1alpha1/testrun_types.go.
type testRun struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Metadata   struct {
		Name string `yaml:"name"`
	} `yaml:"metadata"`
	Spec struct {
		Parallelism int  `yaml:"parallelism"`
		Separate    bool `yaml:"separate"`
		Script      struct {
			ConfigMap struct {
				Name string `yaml:"name"`
				File string `yaml:"file"`
			} `yaml:"configMap"`
		} `yaml:"script"`
		Arguments string `yaml:"arguments"`
		Runner    struct {
			Image           string `yaml:"image"`
			SecurityContext struct {
				RunAsNonRoot bool `yaml:"runAsNonRoot"`
			} `yaml:"securityContext"`
			Resources struct {
				Requests map[string]string `yaml:"requests"`
				Limits   map[string]string `yaml:"limits"`
			} `yaml:"resources"`
			Env []struct {
				Name  string `yaml:"name"`
				Value string `yaml:"value"`
			} `yaml:"env"`
		} `yaml:"runner"`
	} `yaml:"spec"`
}

// TestManifest does with testrun.yaml what k6-operator does: its initializer's look
// at the script, then as many runners as the manifest says, paused, each with its
// segment and the manifest's arguments and environment, and the starter's request to
// begin. Together they make the script's load once, and all of them write to one
// Prometheus. Only addresses, rate and length are the test's own.
func TestManifest(t *testing.T) {
	b, err := os.ReadFile("testrun.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m testRun
	if err := yaml.NewDecoder(bytes.NewReader(b), yaml.Strict()).Decode(&m); err != nil {
		t.Fatal(err)
	}
	if m.APIVersion != "k6.io/v1alpha1" || m.Kind != "TestRun" || m.Metadata.Name == "" || m.Spec.Script.ConfigMap.Name == "" || m.Spec.Parallelism < 2 {
		t.Fatalf("%+v", m)
	}
	script := filepath.Join("examples", m.Spec.Script.ConfigMap.File)
	args := strings.Fields(m.Spec.Arguments)

	url, writes := serve(t), &remoteWrite{}
	prometheus := httptest.NewServer(writes)
	defer prometheus.Close()
	own := map[string]string{
		"MPIN_URL": url, "MPIN_RATE": "40", "MPIN_USERS": "5", "MPIN_DURATION": "4s",
		"K6_PROMETHEUS_RW_SERVER_URL": prometheus.URL + "/api/v1/write",
	}
	env := []string{"MPIN_P99=30000"}
	for _, e := range m.Spec.Runner.Env {
		value := e.Value
		if v, ok := own[e.Name]; ok {
			value = v
			delete(own, e.Name)
		}
		env = append(env, e.Name+"="+value)
	}
	if len(own) > 0 {
		t.Fatalf("the manifest leaves out %v", own)
	}

	archive := filepath.Join(t.TempDir(), "script.tar")
	look := command(t.Context(), append([]string{"archive", script, "-O", archive}, archiveArguments(args)...)...)
	look.Env = append(look.Env, env...)
	if b, err := look.CombinedOutput(); err != nil {
		t.Fatalf("archive: %v\n%s", err, b)
	}
	b, err = command(t.Context(), "inspect", "--execution-requirements", archive).Output()
	var needs struct {
		MaxVUs int `json:"maxVUs"`
	}
	if err := errors.Join(err, json.Unmarshal(b, &needs)); err != nil || needs.MaxVUs < m.Spec.Parallelism {
		t.Fatalf("inspect: %v, %d VUs\n%s", err, needs.MaxVUs, b)
	}

	parts := make([]string, m.Spec.Parallelism+1)
	for i := range parts {
		parts[i] = fmt.Sprintf("%d/%d", i, m.Spec.Parallelism)
	}
	parts[0], parts[m.Spec.Parallelism] = "0", "1"
	runs, errs := make([]*run, m.Spec.Parallelism), make([]error, m.Spec.Parallelism)
	var all sync.WaitGroup
	for i := range runs {
		address, points := free(t), filepath.Join(t.TempDir(), "points.json")
		line := slices.Concat([]string{
			"run", "--quiet", "--execution-segment=" + parts[i] + ":" + parts[i+1], "--execution-segment-sequence=" + strings.Join(parts, ","),
		}, args, []string{
			script, "--address=" + address, "--paused", "--tag", fmt.Sprintf("instance_id=%d", i+1), "--tag", "testrun_name=" + m.Metadata.Name,
			"--out", "json=" + points,
		})
		all.Go(func() {
			cmd := command(t.Context(), line...)
			cmd.Env = append(cmd.Env, env...)
			begun, stop := context.WithCancel(t.Context())
			defer stop()
			go begin(begun, address)
			b, err := cmd.CombinedOutput()
			runs[i], errs[i] = ended(b, err, points)
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	total := 0
	for i, r := range runs {
		if r.status != 0 {
			t.Fatalf("runner %d: exit status %d\n%s", i+1, r.status, r.output)
		}
		n := len(r.values("iterations"))
		if n == 0 {
			t.Errorf("runner %d did nothing", i+1)
		}
		total += n
		if series := fmt.Sprintf("instance_id\x12\x01%d", i+1); !writes.has("k6_mpin_login_duration_seconds", series) {
			t.Errorf("Prometheus got no native histogram of login durations of runner %d", i+1)
		}
	}
	// From 10 to 40 a second within 4 s; each runner's last may fall on the end.
	if total < 100-m.Spec.Parallelism || total > 100+m.Spec.Parallelism {
		t.Errorf("%d iterations of %d runners, of 100 in one", total, len(runs))
	}
}

// archiveArguments are those of a run that k6-operator gives to k6 archive as well.
func archiveArguments(args []string) []string {
	var list []string
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "--out", "-o":
			i++
		case "--no-usage-report", "--linger", "-l", "--verbose", "-v":
		default:
			list = append(list, args[i])
		}
	}
	return list
}

// free is an address at which nobody listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// begin tells a paused k6 to go on, as soon as it can be told.
func begin(ctx context.Context, address string) {
	const request = `{"data":{"attributes":{"paused":false},"id":"default","type":"status"}}`
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodPatch, "http://"+address+"/v1/status", strings.NewReader(request))
		if err != nil {
			return
		}
		r.Header.Set("Content-Type", "application/json")
		if answer, err := http.DefaultClient.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// remoteWrite is the receiving end of Prometheus's remote write, version 1: a
// compressed protobuf of labels and samples a request.
type remoteWrite struct {
	mu     sync.Mutex
	bodies [][]byte
}

func (p *remoteWrite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
	if err == nil {
		b, err = snappy.Decode(nil, b)
	}
	if err != nil || r.URL.Path != "/api/v1/write" {
		http.Error(w, "not a write", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.bodies = append(p.bodies, b)
	p.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// has tells whether a request has all the texts.
func (p *remoteWrite) has(texts ...string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.bodies, func(b []byte) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !bytes.Contains(b, []byte(text)) })
	})
}

// TestDockerfile: the image is built with the Go that go.mod asks for, in the folder
// of this module, of files that are there, and the packages of that build can be had
// without cgo; k6-operator finds in it the shell and the numbered user that it needs.
func TestDockerfile(t *testing.T) {
	b, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	one := func(pattern string) string {
		t.Helper()
		found := regexp.MustCompile("(?m)^"+pattern+"$").FindAllSubmatch(b, -1)
		if len(found) == 0 {
			t.Fatalf("no line %q in Dockerfile", pattern)
		}
		return string(found[0][1])
	}
	mod := output(t, ".", "go", "list", "-m", "-f", "{{.Path}} {{.GoVersion}}")
	if want := "mpinlab/sim/k6 " + one(`FROM golang:([0-9.]+)-\w+ AS build`); mod != want {
		t.Errorf("go.mod says %s, Dockerfile %s", mod, want)
	}
	root := filepath.Join("..", "..")
	if folder := one(`WORKDIR /src/(.+)`); output(t, filepath.Join(root, folder), "go", "list", "-m") != "mpinlab/sim/k6" {
		t.Errorf("%s is not this module", folder)
	}
	if dir := output(t, ".", "go", "list", "-m", "-f", "{{.Replace.Path}}", "mpinlab"); dir != "../.." {
		t.Errorf("the main module is at %s, which is not where the image has it", dir)
	}
	if _, err := os.Stat(filepath.Join(root, one(`COPY (\S+) /scripts`), "login.js")); err != nil {
		t.Error(err)
	}
	one(`(FROM alpine:[0-9.]+)`)
	one(`USER ([0-9]+)`)
	one(`RUN (CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /mpin-k6 \.)`)
	cmd := exec.Command("go", "list", "-deps", ".") // fails where a package has no files left
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("without cgo: %v\n%s", err, b)
	}
}

// TestMainModule: nothing of k6, whose licence is the AGPL, is in the main module,
// its tests included.
func TestMainModule(t *testing.T) {
	root := filepath.Join("..", "..")
	packages, modules := output(t, root, "go", "list", "-deps", "-test", "./..."), output(t, root, "go", "list", "-m", "all")
	if !strings.Contains(packages, "mpinlab/sim/load") || !strings.Contains(modules, "circl") {
		t.Fatal("these are not the lists of the main module")
	}
	for line := range strings.Lines(packages + "\n" + modules) {
		if strings.Contains(line, "k6.io") || strings.Contains(line, "grafana/") || strings.Contains(line, "sim/k6") {
			t.Errorf("the main module depends on %s", strings.TrimSpace(line))
		}
	}
}

// output is what a command prints.
func output(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(b))
}
