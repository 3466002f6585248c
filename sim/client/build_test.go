package client_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestBuilds compiles the package for browsers and phones, without cgo. For
// ios/arm64 that is all that can be had without Apple's SDK: a program for it
// links with cgo only.
func TestBuilds(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the standard library for other machines")
	}
	for _, target := range []string{"js/wasm", "android/arm64", "ios/arm64"} {
		goos, arch, _ := strings.Cut(target, "/")
		cmd := exec.Command("go", "build", "-o", os.DevNull, ".")
		cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", target, err, out)
		}
	}
}

// TestDependencies keeps servers, stores and pairing libraries out of what a page
// or a phone has to carry.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	var ours []string
	for _, p := range strings.Fields(string(out)) {
		for _, heavy := range []string{"prometheus", "redis", "bbolt", "cobra", "age", "go-json-experiment", "gnark", "circl", "blst", "amcl", "log/slog"} {
			if strings.Contains(p, "/"+heavy) || p == heavy {
				t.Errorf("it imports %s", p)
			}
		}
		if strings.HasPrefix(p, "mpinlab/sim") {
			ours = append(ours, p)
		}
	}
	if got := strings.Join(ours, " "); got != "mpinlab/sim/client/internal/http mpinlab/sim/wire mpinlab/sim/client" {
		t.Errorf("of the deployment it imports %s", got)
	}
}
